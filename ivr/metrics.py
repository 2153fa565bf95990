"""What is counted, and under which names; each process counts, `/metrics` of the web process shows all of them."""

import os
from pathlib import Path

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)

CALLS = Counter("tonetill_calls_total", "Calls begun", ["channel", "flow"])
ENDINGS = Counter("tonetill_call_endings_total", "Calls ended", ["flow", "outcome", "hung_up"])
STEPS = Counter("tonetill_step_outcomes_total", "Ways taken from step to step", ["flow", "step", "to"])
REFUSED = Counter("tonetill_requests_refused_total", "Requests refused before anything was read", ["reason"])
FAULTS = Counter("tonetill_faults_total", "Faults of ours that a caller heard an apology for", ["kind"])
REPEATED = Counter("tonetill_webhooks_repeated_total", "Deliveries of a webhook already answered")
BANK_SECONDS = Histogram("tonetill_bank_seconds", "The bank's answers", ["bank", "message", "outcome"])
OUTBOX = Gauge("tonetill_outbox_depth", "Jobs waiting", ["kind"], multiprocess_mode="mostrecent")


def exposition() -> tuple[bytes, str]:
    """All processes' numbers where they share a folder (`PROMETHEUS_MULTIPROC_DIR`, set by `make run`)."""
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if not folder or not Path(folder).is_dir():
        return generate_latest(), CONTENT_TYPE_LATEST
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry), CONTENT_TYPE_LATEST
