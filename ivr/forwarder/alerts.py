"""Looks once a minute at what can be wrong with a line, and has it told once, until it is over (docs/alerts.md).

What the database knows is one scope, whichever forwarder looks; what a machine knows (its disk, its keys' files, what its
processes count) is a scope of its own.
"""

import hashlib
import shutil
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from ivr import metrics
from ivr.calls.alert_settings import AlertThresholds
from ivr.calls.bank_keys import KeyEnd
from ivr.places import COMMAND
from ivr.store import AlertReceivers, BrokenEvent, DeclinedCards, FoundAlert, Store

log = structlog.get_logger()
HOUR = timedelta(hours=1)
AUDIT_EVERY = HOUR  # it is read from end to end
ANSWERS_IN = timedelta(minutes=1)  # a charge that is younger may be answered yet
LEAST_OPEN, LEAST_DECIDED, LEAST_TICKS = 3, 20, 1000


@dataclass
class GrowthCounter:
    """How much a counter has grown within a time; one that begins again from nothing, with its process, has not shrunk."""

    span: timedelta
    _seen: deque[tuple[datetime, float]] = field(default_factory=deque, init=False)
    _last: float | None = field(default=None, init=False)

    def grown(self, value: float, now: datetime) -> float:
        if self._last is not None:
            self._seen.append((now, value - self._last if value >= self._last else value))
        self._last = value
        while self._seen and self._seen[0][0] <= now - self.span:
            self._seen.popleft()
        return sum(more for _, more in self._seen)


@dataclass
class AlertWatch:
    """`ends`: when each key and certificate of this machine ends. `count`: what all its processes have counted, by name."""

    store: Store
    thresholds: AlertThresholds
    to: AlertReceivers
    machine: str
    var: Path
    ends: Callable[[], list[KeyEnd]]
    now: Callable[[], datetime]
    count: Callable[[str, str], float] = metrics.counted
    free_percent: Callable[[Path], float] = lambda var: free_percent(var)
    _forged: GrowthCounter = field(default_factory=lambda: GrowthCounter(HOUR), init=False)
    _ticks: GrowthCounter = field(default_factory=lambda: GrowthCounter(timedelta(minutes=5)), init=False)
    _late: GrowthCounter = field(default_factory=lambda: GrowthCounter(timedelta(minutes=5)), init=False)
    _audited_at: datetime | None = field(default=None, init=False)
    _broken: BrokenEvent | None = field(default=None, init=False)

    def look(self) -> None:
        for scope, look in (("", self.in_database), (self.machine, self.on_machine)):
            changed = self.store.note_alerts(scope, list(look()), self.thresholds.over_after, self.to, self.now())
            for what, one in changed:
                tell = log.error if what == "raised" else log.info
                tell(f"alert {what}", kind=one.kind, about=one.about, words=one.words)

    # ---- the same wherever one looks

    def in_database(self) -> Iterator[FoundAlert]:
        yield from self.silent_banks()
        yield from self.unknown_charges()
        yield from self.declines()
        yield from self.card_testing()
        yield from self.card_testing_bins()
        yield from self.broken_audit()

    def silent_banks(self) -> Iterator[FoundAlert]:
        minutes = self.thresholds.bank_silent_minutes
        if not minutes:
            return
        until = self.now() - ANSWERS_IN
        for bank, found in self.store.bank_figures(until - timedelta(minutes=minutes), until).items():
            if found.open >= LEAST_OPEN and not found.answered:
                words = (
                    f"'{bank}' has answered none of {found.open} charges in {minutes} minutes: `{COMMAND} bank check {bank}`, "
                    "and ask the bank; callers are told that their payment is not decided yet"
                )
                yield FoundAlert("bank_silent", bank, words)

    def unknown_charges(self) -> Iterator[FoundAlert]:
        found = self.store.unknown_charges() if self.thresholds.unknown else 0
        if self.thresholds.unknown and found >= self.thresholds.unknown:
            words = f"{found} charges have no outcome; the forwarder goes on asking: `{COMMAND} payments list --status unknown`"
            yield FoundAlert("unknown_growing", "charges", words)

    def declines(self) -> Iterator[FoundAlert]:
        most = self.thresholds.declines_percent
        for bank, found in self.store.bank_figures(self.now() - HOUR, self.now() + ANSWERS_IN).items() if most else ():
            if found.answered >= LEAST_DECIDED and 100 * found.declined >= most * found.answered:
                words = (
                    f"'{bank}' has declined {found.declined} of {found.answered} charges in an hour: somebody may be trying "
                    f"cards, or the bank has a fault: `{COMMAND} payments list --status declined`"
                )
                yield FoundAlert("declines", bank, words)

    def card_testing(self) -> Iterator[FoundAlert]:
        since, limits = self.now() - HOUR, self.thresholds
        if limits.cards:
            for one in (
                *self.store.declined_cards("caller", since, limits.cards),
                *self.store.declined_cards("account", since, limits.cards),
            ):
                yield FoundAlert("card_testing", f"{one.place} {shortened(one.which)}", tested(one, f"one {one.place}"))
        for one in self.store.declined_cards("block", since, limits.block_cards) if limits.block_cards else ():
            if one.callers > 1:  # one alone is a caller's own alert
                of = f"{one.callers} numbers that begin alike"
                yield FoundAlert("card_testing_block", f"numbers {shortened(one.which)}", tested(one, of))
        for one in self.store.declined_cards("line", since, limits.line_cards) if limits.line_cards else ():
            yield FoundAlert("card_testing_line", one.which, tested(one, f"the line '{one.which}'"))

    def card_testing_bins(self) -> Iterator[FoundAlert]:
        least, percent = self.thresholds.bin_cards, self.thresholds.bin_percent
        for one in self.store.declined_bins(self.now() - HOUR, least, percent) if least and percent else ():
            words = (
                f"{one.declined} of {one.answered} different cards that begin with the same six digits were declined in an hour: "
                f"somebody may be trying numbers that were made up or stolen; see {one.latest}, and `{COMMAND} limits` holds them back"
            )
            yield FoundAlert("card_testing_bin", f"cards {shortened(one.tag)}", words)

    def broken_audit(self) -> Iterator[FoundAlert]:
        if self._audited_at is None or self.now() - self._audited_at >= AUDIT_EVERY:
            self._broken, self._audited_at = self.store.broken_audit_event(), self.now()
        if self._broken is not None:
            words = (
                f"event {self._broken.id} of the audit trail is {self._broken.how}: somebody has written to the database past "
                f"the product; keep a copy of it and say `{COMMAND} audit verify`"
            )
            yield FoundAlert("audit_broken", "audit trail", words)

    # ---- of this machine

    def on_machine(self) -> Iterator[FoundAlert]:
        yield from self.certificates()
        yield from self.disk()
        yield from self.late_ticks()
        yield from self.forged_webhooks()

    def certificates(self) -> Iterator[FoundAlert]:
        before = timedelta(days=self.thresholds.certificate_days)
        for end in self.ends() if before else ():
            if end.ends is None or end.ends - self.now() < before:
                yield FoundAlert("certificate", f"{end.bank}: {end.what}", f"'{end.bank}': {end.told(self.now())}")

    def disk(self) -> Iterator[FoundAlert]:
        free = self.free_percent(self.var)
        if free < self.thresholds.disk_percent:
            words = f"{free:.1f} % of the disk with {self.var.name}/ on {self.machine} is free: no call can be recorded when it is full"
            yield FoundAlert("disk", self.machine, words)

    def late_ticks(self) -> Iterator[FoundAlert]:
        """Of five minutes: a caller hears a gap where a tick comes late."""
        ticks = self._ticks.grown(self.count("tonetill_media", "ticks"), self.now())
        late = self._late.grown(self.count("tonetill_media", "late_ticks"), self.now())
        most = self.thresholds.late_percent
        if most and ticks >= LEAST_TICKS and 100 * late >= most * ticks:
            words = f"{late:.0f} of {ticks:.0f} ticks of the trunk on {self.machine} came late: give it fewer calls, or more CPU"
            yield FoundAlert("ticks_late", self.machine, words)

    def forged_webhooks(self) -> Iterator[FoundAlert]:
        counted = sum(self.count("tonetill_requests_refused", why) for why in ("signature", "connector password"))
        forged = self._forged.grown(counted, self.now())
        if self.thresholds.forged and forged >= self.thresholds.forged:
            words = (
                f"{forged:.0f} webhooks in an hour on {self.machine} were not signed by who they claim to be from, and were "
                "refused: a wrong TWILIO_AUTH_TOKEN or PUBLIC_URL, or somebody who tries"
            )
            yield FoundAlert("forged_webhooks", self.machine, words)


def tested(found: DeclinedCards, of: str) -> str:
    return (
        f"{found.cards} different cards were declined in an hour from {of}: somebody may be trying stolen ones; "
        f"see {found.latest}, and `{COMMAND} limits` holds them back"
    )


def shortened(which: str) -> str:
    """Of a caller's hash, an account or a tag: the same while the alert stands, and no number to read."""
    return hashlib.sha256(which.encode()).hexdigest()[:12]


def free_percent(var: Path) -> float:
    usage = shutil.disk_usage(var)
    return 100 * usage.free / usage.total
