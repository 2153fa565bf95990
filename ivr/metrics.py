"""What is counted, and under which names; each process counts, `/metrics` of the web process shows all of them."""

import os
import socket
from pathlib import Path
from typing import Any

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
    values,
)

_MACHINE = socket.gethostname().replace("_", "-")  # an underscore separates the parts of the files' names


def process_name() -> str:
    """Processes of several containers may share a folder, and then have the same process number."""
    return f"{_MACHINE}-{os.getpid()}"


if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
    values.ValueClass = values.MultiProcessValue(process_name)  # type: ignore[no-untyped-call]

CALLS = Counter("tonetill_calls_total", "Calls begun", ["channel", "flow"])
ENDINGS = Counter("tonetill_call_endings_total", "Calls ended", ["flow", "outcome", "hung_up"])
STEPS = Counter("tonetill_step_outcomes_total", "Ways taken from step to step", ["flow", "step", "to"])
REFUSED = Counter("tonetill_requests_refused_total", "Requests refused before anything was read", ["reason"])
FAULTS = Counter("tonetill_faults_total", "Faults of ours that a caller heard an apology for", ["kind"])
REPEATED = Counter("tonetill_webhooks_repeated_total", "Deliveries of a webhook already answered")
BANK_SECONDS = Histogram("tonetill_bank_seconds", "The bank's answers", ["bank", "message", "outcome"])
BANK_DOUBTS = Counter(
    "tonetill_bank_answers_in_doubt_total", "Answers whose parts do not agree (docs/bank.md)", ["bank", "doubt"]
)
TEXTS = Counter(
    "tonetill_texts_total", "Texts: sent, kept (development), delayed, account_problem, refused", ["result"]
)
BILLING_SECONDS = Histogram("tonetill_billing_seconds", "Look-ups at the merchant's billing endpoint", ["outcome"])
NOTICES = Counter("tonetill_billing_notices_total", "Attempts to tell the billing system of a payment", ["outcome"])
MERCHANT_NOTICES = Counter(
    "tonetill_merchant_notices_total", "Attempts to tell the merchant's own systems", ["kind", "outcome"]
)
EMAILS = Counter(
    "tonetill_emails_total",
    "Receipts by e-mail: sent, kept (development), delayed, account_problem, refused",
    ["result"],
)
KEY_ENDS = Gauge(
    "tonetill_key_ends_timestamp_seconds",
    "When no key or certificate of this kind will be good any more, in Unix time; 0 where none is",
    ["bank", "what"],
    multiprocess_mode="mostrecent",
)
OUTBOX = Gauge("tonetill_outbox_depth", "Jobs waiting", ["kind"], multiprocess_mode="mostrecent")
SIP = Gauge("tonetill_sip", "Signalling of the trunk, counted since it began", ["what"], multiprocess_mode="livesum")
MEDIA = Gauge("tonetill_media", "The media plane, counted since it began", ["what"], multiprocess_mode="livesum")
KEYS = Gauge("tonetill_trunk_keys", "Keys that counted, by what carried them", ["method"], multiprocess_mode="livesum")
MEDIA_CPU = Gauge(
    "tonetill_media_cpu_us", "CPU microseconds of one call in one 20 ms tick", ["part"], multiprocess_mode="livemax"
)


MEDIA_COUNTS = (
    *("calls", "ticks", "late_ticks", "skipped_ticks", "worst_tick_ms", "packets_in", "packets_out", "unsent"),
    *("lost", "late", "doubled", "refused", "flooded", "filled", "socket_drops", "unrecorded"),
)


def note_media(numbers: Any) -> None:
    """What the media plane says of itself once a second (`MediaStats`)."""
    for name in MEDIA_COUNTS:
        MEDIA.labels(name).set(getattr(numbers, name))
    for part, microseconds in numbers.cpu_us_per_tick.items():
        MEDIA_CPU.labels(part).set(microseconds / max(numbers.calls, 1))


def counted(name: str, label: str) -> float:
    """What all processes that share the folder have counted under this name, and this value of its first label."""
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    registry = REGISTRY
    if folder and Path(folder).is_dir():
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return sum(
        sample.value
        for metric in registry.collect()
        if metric.name == name
        for sample in metric.samples
        if label in sample.labels.values() and not sample.name.endswith("_created")
    )


def exposition() -> tuple[bytes, str]:
    """All processes' numbers where they share a folder (`PROMETHEUS_MULTIPROC_DIR`, set by `make run`)."""
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if not folder or not Path(folder).is_dir():
        return generate_latest(), CONTENT_TYPE_LATEST
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry), CONTENT_TYPE_LATEST
