"""Evidence of some days as one archive: the audit trail with its verification, calls, charges, flows, settings without secrets.

A stranger can check it without this product: `SHA256SUMS` is over every file, `manifest.json` says what there is and whether the
trail was whole, and is signed with the line's audit key. There is no card in it, because there is none on record; whatever
looks like a card number all the same is taken out, and counted in the manifest. Callers' numbers are shortened unless whoever
asks may see them in full.
"""

import base64
import hashlib
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import IO, Any
from urllib.parse import urlsplit

import ivr
from ivr.bank import load_banks
from ivr.books import day_bounds
from ivr.books.audit_heads import PRIVATE, PUBLIC, private_key
from ivr.core.caller import mask_number
from ivr.errors import ConfigError, RecordError
from ivr.incidents.evidence_words import README
from ivr.incidents.line_keys import SECRETS, LineKey
from ivr.logs import scrub_text
from ivr.settings import Settings
from ivr.store import CallFilter, CallRecord, Payment, Store

MOST_DAYS = 92
PAGE = 500
MANIFEST, SUMS, SIGNATURE = "manifest.json", "SHA256SUMS", "manifest.sig"
TRAIL = "audit/trail.jsonl"
MOST_ALERTS = 10_000


@dataclass(frozen=True)
class EvidenceWanted:
    """`since` and `until`: days (UTC), both included. `most_calls`: the latest so many of them."""

    since: date
    until: date
    by: str
    in_full: bool = False
    most_calls: int = 1_000_000

    def require(self) -> None:
        """RecordError where they are no period."""
        if self.until < self.since:
            raise RecordError(f"from {self.since} until {self.until}: the last day is before the first")
        if (self.until - self.since).days >= MOST_DAYS:
            raise RecordError(f"at most {MOST_DAYS} days in one archive")


@dataclass(frozen=True)
class EvidenceArchive:
    settings: Settings
    store: Store
    keys: Callable[[datetime], list[LineKey]]

    def write(self, to: IO[bytes], wanted: EvidenceWanted, now: datetime) -> Mapping[str, Any]:
        """The manifest. Who took it is on record before, so that the archive has that too. RecordError for what is no period."""
        wanted.require()
        callers = "callers' numbers in full" if wanted.in_full else "callers' numbers shortened"
        self.store.note(wanted.by, "evidence exported", f"{wanted.since} to {wanted.until}, {callers}", now)
        with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as archive:
            files = ArchiveFiles(archive)
            told = {"audit": self._audit(files), "calls": self._calls(files, wanted)}
            self._flows(files)
            self._configuration(files, now)
            files.add_lines("alerts.jsonl", map(_plain, self.store.alerts(MOST_ALERTS, also_over=True)))
            files.add_lines("stops.jsonl", map(_plain, self.store.stops()))
            files.add("README.txt", README.encode())
            manifest = {
                "what": "evidence of a telephone payment line",
                "by": wanted.by,
                "made_at": now.astimezone(UTC).isoformat(timespec="seconds"),
                "program": f"tonetill {ivr.__version__}",
                "merchant": self.settings.merchant,
                "since": str(wanted.since),
                "until": str(wanted.until),
                "callers": "in full" if wanted.in_full else "shortened",
                **told,
                "taken_out": files.taken_out,
                "files": dict(files.sums),
            }
            self._seal(files, manifest)
        return manifest

    def _seal(self, files: "ArchiveFiles", manifest: Mapping[str, Any]) -> None:
        keys = self.settings.var / "keys"
        content = json.dumps(manifest, indent=1, ensure_ascii=False).encode()
        files.add(MANIFEST, content)
        try:
            signature = private_key(keys / PRIVATE).sign(content)
            public = (keys / PUBLIC).read_bytes()
        except (ConfigError, OSError):
            pass  # a process that may not read the key: the sums stand without a signature
        else:
            files.add(SIGNATURE, base64.b64encode(signature) + b"\n")
            files.add(PUBLIC, public)
        files.add(SUMS, "".join(f"{one['sha256']}  {name}\n" for name, one in files.sums.items()).encode())

    # ---- what is in it

    def _audit(self, files: "ArchiveFiles") -> dict[str, Any]:
        broken, last = self.store.broken_audit_event(), (0, "")

        def events() -> Iterator[dict[str, Any]]:
            nonlocal last
            for event, at_ms, digest in self.store.audit_trail():
                last = event.id, digest
                yield {
                    **{"id": event.id, "at": _time(event.at), "at_ms": at_ms, "who": event.who, "what": event.what},
                    **{"about": event.about, "digest": digest},
                }

        files.add_lines(TRAIL, events())
        verified = {
            "is_whole": broken is None,
            "broken_event": broken.id if broken else None,
            "broken_how": broken.how if broken else None,
            "events": last[0],
            "head": last[1],
        }
        files.add_json("audit/verification.json", verified)
        return verified

    def _calls(self, files: "ArchiveFiles", wanted: EvidenceWanted) -> dict[str, Any]:
        """Of the calls that began in those days: rows, turns, charges and what happened to money."""
        calls: list[str] = []

        def rows() -> Iterator[dict[str, Any]]:
            for one in self._records(wanted):
                calls.append(one.id)
                yield _call(one, wanted.in_full)

        files.add_lines("calls/calls.jsonl", rows())
        files.add_lines("calls/turns.jsonl", (_plain(turn) for one in calls for turn in self.store.turns_of(one)))
        files.add_lines("calls/charges.jsonl", (_charge(paid) for one in calls for paid in self.store.payments_of(one)))
        files.add_lines("calls/ledger.jsonl", (_plain(entry) for one in calls for entry in self.store.ledger_of(one)))
        return {"count": len(calls), "is_cut_off": len(calls) >= wanted.most_calls}

    def _records(self, wanted: EvidenceWanted) -> Iterator[CallRecord]:
        since, until = day_bounds(wanted.since)[0], day_bounds(wanted.until)[1]
        older, left = None, wanted.most_calls
        while left > 0:
            page = self.store.find_calls(CallFilter(since, until, older_than=older), min(PAGE, left))
            yield from page
            if len(page) < PAGE:
                return
            left -= len(page)
            older = round(page[-1].started_at.timestamp() * 1000), page[-1].id

    def _flows(self, files: "ArchiveFiles") -> None:
        live, rows = self.store.live_versions(), []
        for flow in self.store.published_flows():
            for one in self.store.flow_versions(flow):
                place = f"flows/{_file_name(flow)}/{one.number}"
                files.add(f"{place}/flow.yaml", one.text.encode())
                files.add(f"{place}/prompts.json", one.prompts.encode())
                files.add(f"{place}/parts.json", one.parts.encode())
                number = live[flow].number if flow in live else 0
                row = {"flow": flow, "number": one.number, "digest": one.digest, "is_live": one.number == number}
                row |= {"published_at": _time(one.published_at), "published_by": one.published_by, "folder": place}
                rows.append(row)
        files.add_lines("flows/versions.jsonl", rows)

    def _configuration(self, files: "ArchiveFiles", now: datetime) -> None:
        """Of a secret, whether it is set: `configuration/keys.jsonl` has its fingerprint."""
        shown = {name: _without_secret(name, value) for name, value in self.settings.model_dump(mode="json").items()}
        files.add_json("configuration/settings.json", shown)
        try:
            banks = load_banks(self.settings.banks, self.settings.var)
            listed: dict[str, Any] = {name: bank.model_dump(mode="json") for name, bank in banks.items()}
            keys = self.keys(now)
        except ConfigError as error:
            listed, keys = {"problem": str(error)}, []
        files.add_json("configuration/banks.json", listed)
        files.add_lines("configuration/keys.jsonl", map(_plain, keys))


@dataclass
class ArchiveFiles:
    """`sums`: by name, in the order in which they were added. `taken_out`: lines in which something looked like a card number."""

    archive: zipfile.ZipFile
    sums: dict[str, dict[str, Any]] = field(default_factory=dict)
    taken_out: int = 0

    def add(self, name: str, content: bytes) -> None:
        self._add(name, content.decode().splitlines(keepends=True))

    def add_json(self, name: str, content: object) -> None:
        self.add(name, f"{json.dumps(content, indent=1, ensure_ascii=False)}\n".encode())

    def add_lines(self, name: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """JSON, one a line; written as they come."""
        self._add(name, (f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows))

    def _add(self, name: str, lines: Iterable[str]) -> None:
        digest, size = hashlib.sha256(), 0
        with self.archive.open(name, "w", force_zip64=True) as opened:
            for line in lines:
                clean = scrub_text(line)
                self.taken_out += clean != line
                content = clean.encode()
                opened.write(content)
                digest.update(content)
                size += len(content)
        self.sums[name] = {"sha256": digest.hexdigest(), "bytes": size}


def _without_secret(name: str, value: object) -> object:
    """An address may have a password before the `@`, or a token after the `?`."""
    if name in SECRETS:
        return "(set)" if value else ""
    if name.endswith("_url") and isinstance(value, str):
        parts = urlsplit(value)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}" if parts.netloc else value
    return value


def _call(record: CallRecord, in_full: bool) -> dict[str, Any]:
    call = record.call
    return {
        "id": record.id,
        "started_at": _time(record.started_at),
        "duration_s": round(record.duration_s, 1),
        "caller": call.ani if in_full else mask_number(call.ani),
        "called": call.dnis,
        "flow": call.flow,
        "version": call.flow_version,
        "channel": call.channel,
        "language": call.language,
        "step": call.step,
        "outcome": call.outcome,
        "hung_up": call.hung_up,
        "line": str(record.line) if record.line else "",
    }


def _charge(payment: Payment) -> dict[str, Any]:
    """Of a card there are brand and last four digits."""
    intent = payment.intent
    return {
        **{"reference": intent.reference, "call": intent.call, "bank": intent.bank, "status": payment.status},
        **{
            "begun_at": _time(payment.begun_at),
            "amount_minor": intent.amount.minor,
            "currency": intent.amount.currency,
        },
        **{"card": intent.card_summary, "account": intent.account, "line": intent.line},
        **{"confirmation_number": payment.confirmation_number, "response_code": payment.response_code},
        **{"authorization_code": payment.authorization_code, "bank_reference": payment.bank_reference},
    }


def _plain(one: object) -> dict[str, Any]:
    return {name: _written(value) for name, value in vars(one).items()}


def _written(value: object) -> object:
    if isinstance(value, datetime):
        return _time(value)
    if isinstance(value, str | int | float | bool) or value is None:
        return value
    return [_written(one) for one in value] if isinstance(value, list | tuple) else str(value)


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds")


def _file_name(flow: str) -> str:
    """A flow's name is letters, digits and hyphens; of anything else nothing leads out of the folder."""
    return "".join(one if one.isalnum() or one in "-_" else "_" for one in flow)
