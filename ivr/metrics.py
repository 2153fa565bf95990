"""What is counted, and under which names; each process counts, `/metrics` of the web process shows all of them.

Where one process serves several merchants, what is a merchant's is counted under its name too. A line of one merchant has no
such label: an empty one is none (Prometheus, data model), and is left out of what is shown.
"""

import os
import re
import socket
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, Generic, TypeVar

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

from ivr.merchants.serving import merchant_now

Metric = TypeVar("Metric", Counter, Gauge, Histogram)
_MACHINE = socket.gethostname().replace("_", "-")  # an underscore separates the parts of the files' names


def process_name() -> str:
    """Processes of several containers may share a folder, and then have the same process number."""
    return f"{_MACHINE}-{os.getpid()}"


if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
    values.ValueClass = values.MultiProcessValue(process_name)  # type: ignore[no-untyped-call]

CHILDREN_KEPT = 4096  # values of labels: a look-up costs a tenth of making one
_MERCHANT = re.compile(r'[{,]merchant="([^"]*)"')


class Labelled(Generic[Metric]):
    """A metric with one label more than it is given: the merchant whose work this thread or task is doing."""

    def __init__(
        self, kind: type[Metric], name: str, meaning: str, labels: tuple[str, ...] = (), **options: Any
    ) -> None:
        metric = kind(name, meaning, [*labels, "merchant"], **options)
        self._child: Callable[..., Metric] = lru_cache(CHILDREN_KEPT)(metric.labels)
        if not labels:
            self.labels()  # shown from the beginning, as one without any label is

    def labels(self, *values: object) -> Metric:
        return self._child(*values, merchant_now())


CALLS = Labelled(Counter, "tonetill_calls_total", "Calls begun", ("channel", "flow"))
ENDINGS = Labelled(Counter, "tonetill_call_endings_total", "Calls ended", ("flow", "outcome", "hung_up"))
STEPS = Labelled(Counter, "tonetill_step_outcomes_total", "Ways taken from step to step", ("flow", "step", "to"))
REFUSED = Labelled(Counter, "tonetill_requests_refused_total", "Requests refused before anything was read", ("reason",))
FAULTS = Labelled(Counter, "tonetill_faults_total", "Faults of ours that a caller heard an apology for", ("kind",))
REPEATED = Labelled(Counter, "tonetill_webhooks_repeated_total", "Deliveries of a webhook already answered")
BANK_SECONDS = Labelled(Histogram, "tonetill_bank_seconds", "The bank's answers", ("bank", "message", "outcome"))
BANK_DOUBTS = Labelled(
    Counter,
    "tonetill_bank_answers_in_doubt_total",
    "Answers whose parts do not agree (docs/bank.md)",
    ("bank", "doubt"),
)
TEXTS = Labelled(
    Counter, "tonetill_texts_total", "Texts: sent, kept (development), delayed, account_problem, refused", ("result",)
)
BILLING_SECONDS = Labelled(
    Histogram, "tonetill_billing_seconds", "Look-ups at the merchant's billing endpoint", ("outcome",)
)
NOTICES = Labelled(
    Counter, "tonetill_billing_notices_total", "Attempts to tell the billing system of a payment", ("outcome",)
)
MERCHANT_NOTICES = Labelled(
    Counter, "tonetill_merchant_notices_total", "Attempts to tell the merchant's own systems", ("kind", "outcome")
)
EMAILS = Labelled(
    Counter,
    "tonetill_emails_total",
    "Receipts by e-mail: sent, kept (development), delayed, account_problem, refused",
    ("result",),
)
KEY_ENDS = Labelled(
    Gauge,
    "tonetill_key_ends_timestamp_seconds",
    "When no key or certificate of this kind will be good any more, in Unix time; 0 where none is",
    ("bank", "what"),
    multiprocess_mode="mostrecent",
)
OUTBOX = Labelled(Gauge, "tonetill_outbox_depth", "Jobs waiting", ("kind",), multiprocess_mode="mostrecent")
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
    """What all processes that share the folder have counted under this name, and this value of its first label; of
    other merchants nothing."""
    return sum(
        sample.value
        for metric in _all_processes().collect()
        if metric.name == name
        for sample in metric.samples
        if label in sample.labels.values() and not sample.name.endswith("_created")
        if sample.labels.get("merchant", "") in ("", merchant_now())
    )


def exposition() -> tuple[bytes, str]:
    """All processes' numbers where they share a folder (`PROMETHEUS_MULTIPROC_DIR`, set by `make run`). In a process that is one
    merchant's, such as its console, those of others are left out."""
    shown = generate_latest(_all_processes()).decode()
    mine = merchant_now()
    if mine:
        shown = "".join(line for line in shown.splitlines(keepends=True) if _is_for(line, mine))
    return _without_nobody(shown).encode(), CONTENT_TYPE_LATEST


def _all_processes() -> CollectorRegistry:
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if not folder or not Path(folder).is_dir():
        return REGISTRY
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


def _is_for(line: str, merchant: str) -> bool:
    found = _MERCHANT.search(line)
    return found is None or found[1] in ("", merchant)


def _without_nobody(shown: str) -> str:
    """Label values have their quotes escaped, so that this is the label and nothing else."""
    return shown.replace('{merchant=""}', "").replace('{merchant="",', "{").replace(',merchant=""', "")
