"""From when until when certificates are good, and how long a bank is served by those that take each other's place."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from cryptography import x509

from ivr.bank.settings import BankSettings, ClientCertificateEntry

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
ENDS_OF_DAYS = (time(), time(23, 59, 59))  # a certificate's last day is written so, to the second


@dataclass(frozen=True)
class Term:
    """`what`: a word for people, the same for all that take each other's place. `setting`: where it is written in
    `banks.yaml`. Good from `first` on, before `last`. `kid`: of a sealing key."""

    what: str
    setting: str
    file: Path
    first: datetime
    last: datetime
    kid: str = ""


def covered_until(terms: Iterable[Term], now: datetime) -> datetime | None:
    """When there will be none that is good; None where there is none now."""
    reached = now
    for term in sorted(terms, key=lambda one: one.first):
        if term.first <= reached < term.last:
            reached = term.last
    return reached if reached > now else None


def beginning(day: date) -> datetime:
    """Midnight, UTC."""
    return datetime.combine(day, time(), UTC)


def end(day: date) -> datetime:
    """When the day is over, UTC."""
    return datetime.max.replace(tzinfo=UTC) if day == date.max else beginning(day) + DAY


def said_end(moment: datetime) -> str:
    """For people: the last day, where all of it counts; else with the minute."""
    if moment.time() in ENDS_OF_DAYS:
        return f"{moment - SECOND:%Y-%m-%d}"
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def certificate_terms(settings: BankSettings) -> Iterator[Term]:
    """Of the certificates that connections to the bank need. A file that cannot be read here is left to who opens it."""
    listed: Sequence[ClientCertificateEntry] = getattr(settings, "client_certificates", ())
    for number, entry in enumerate(listed):
        for found in certificates_in(entry.file):
            first = max(found.not_valid_before_utc, beginning(entry.not_before))
            last = min(over(found), end(entry.not_after))
            yield Term("client certificate", f"client_certificates.{number}.file", entry.file, first, last)
            break  # what follows in the file is its issuer's
    single = settings.files()
    if (ours := single.get("client_certificate")) is not None:
        for found in certificates_in(ours)[:1]:
            yield _term("client certificate", "client_certificate", ours, found)
    if (authority := single.get("ca")) is not None:
        yield from (_term("authority", "ca", authority, found) for found in certificates_in(authority))


def certificates_in(file: Path) -> list[x509.Certificate]:
    """None of a file that is not there, or is no PEM."""
    try:
        return x509.load_pem_x509_certificates(file.read_bytes())
    except (OSError, ValueError):
        return []


def _term(what: str, setting: str, file: Path, found: x509.Certificate) -> Term:
    """One that is written alone is used from now on, whatever it says of its beginning."""
    return Term(what, setting, file, datetime.min.replace(tzinfo=UTC), over(found))


def over(found: x509.Certificate) -> datetime:
    """When it is good no more: its last second is within (RFC 5280 4.1.2.5), so that one which begins in the next second follows
    without a gap. 9999-12-31 23:59:59 is no end (4.1.2.5)."""
    last = found.not_valid_after_utc
    return datetime.max.replace(tzinfo=UTC) if last.year == date.max.year else last + SECOND
