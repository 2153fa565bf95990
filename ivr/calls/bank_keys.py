"""The keys of all banks as this process uses them: read again while calls go on, and when each of them ends.

A bank is closed where no key or certificate is left that is good: nothing new is charged there, and a caller hears that
before they key in a card. What was sealed and begun before goes on.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import structlog

from ivr.bank import BankSettings, line_of_bank, load_banks, protocol_called
from ivr.bank.terms import Term, beginning, certificate_terms, covered_until, end, said_end
from ivr.errors import ConfigError
from ivr.vault import KeyFile, KeyRing, Vault

log = structlog.get_logger()
ALARM_BEFORE = timedelta(days=30)
# From the first question for a card to its charge. Who begins now must not find the key ended in the middle.
CARD_TAKES = timedelta(minutes=15)
SEALING = "sealing key"


@dataclass(frozen=True)
class KeyEnd:
    """`what` takes each other's place; `setting` and `file` are of the one that is good for longest. `ends` is None where
    none is good now."""

    bank: str
    what: str
    setting: str
    file: Path
    ends: datetime | None

    def days_left(self, now: datetime) -> float:
        return (self.ends - now) / timedelta(days=1) if self.ends else 0.0

    def is_alarming(self, now: datetime) -> bool:
        return self.ends is None or self.ends - now < ALARM_BEFORE

    def told(self, now: datetime) -> str:
        cure = "add the next one, then send SIGHUP (docs/bank.md, Rotation)"
        if self.ends is None:
            return f"no {self.what} is good now ({self.file}): nothing new is charged at this bank; {cure}"
        days, minutes = int(self.days_left(now)), int((self.ends - now) / timedelta(minutes=1))
        when = (
            f"on {said_end(self.ends)}, in {days} days"
            if days
            else f"at {self.ends:%Y-%m-%d %H:%M} UTC, in {minutes} minutes"
        )
        return f"the {self.what} ends {when}, and none follows ({self.file}); {cure}"


def form_of(settings: BankSettings) -> str:
    """In which fields are sealed for this bank."""
    return settings.sealing_form or protocol_called(settings.protocol).promises.seal


def key_files(settings: BankSettings) -> Path | Sequence[KeyFile]:
    listed = settings.sealing_keys
    return [KeyFile(one.file, one.kid, one.not_before, one.not_after) for one in listed] or settings.sealing_key


def ring_of(settings: BankSettings) -> KeyRing:
    """ConfigError where a key cannot be used, or none is good."""
    return KeyRing(key_files(settings), form_of(settings))


def vaults_of(file: Path, banks: Mapping[str, BankSettings], fingerprint_key: bytes) -> dict[str, Vault]:
    """By bank. `file`: `banks.yaml`. ConfigError says every key that cannot be used, with its line."""
    vaults, problems = {}, []
    for name, settings in banks.items():
        try:
            vaults[name] = Vault(key_files(settings), fingerprint_key, form_of(settings))
        except ConfigError as error:
            problems.append(line_of_problem(file, name, settings, str(error)))
    if problems:
        raise ConfigError("\n".join(problems))
    return vaults


def terms_of(settings: BankSettings, ring: KeyRing | None) -> list[Term]:
    sealing = [
        Term(SEALING, _setting(settings, key.file), key.file, _first(key.good_from), _after(key.good_until), key.kid)
        for key in (ring.keys if ring else ())
    ]
    return [*sealing, *certificate_terms(settings)]


def ends_of(bank: str, terms: Sequence[Term], now: datetime) -> Iterator[KeyEnd]:
    """One for each kind of key or certificate that has an end."""
    for what in dict.fromkeys(term.what for term in terms):
        alike = [term for term in terms if term.what == what]
        last = max(alike, key=lambda term: term.last)
        ends = covered_until(alike, now)
        if ends is None or ends < end(date.max):
            yield KeyEnd(bank, what, last.setting, last.file, ends)


@dataclass
class BankKeys:
    """`file`: `banks.yaml`; `var`: where its files are. Other settings than keys and certificates are read at start only."""

    file: Path
    var: Path
    banks: Mapping[str, BankSettings]
    vaults: Mapping[str, Vault]
    _terms: dict[str, list[Term]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, settings in self.banks.items():
            self._note(name, settings)

    def _note(self, name: str, settings: BankSettings) -> None:
        vault = self.vaults.get(name)
        self._terms[name] = terms_of(settings, vault.ring if vault else None)

    def is_closed(self, bank: str, at: datetime) -> bool:
        """Whether a card that is asked for now could find no key or certificate that is good."""
        soon = at + CARD_TAKES
        ended = [found for found in ends_of(bank, self._terms.get(bank, ()), at) if not found.ends or found.ends < soon]
        for found in ended:
            log.error("no card is asked for", bank=bank, problem=found.told(at))
        return bool(ended)

    def ends(self, now: datetime) -> list[KeyEnd]:
        return [found for name, terms in self._terms.items() for found in ends_of(name, terms, now)]

    def reload(self) -> None:
        """Each bank on its own. ConfigError says every problem, with its line; where a bank has one, its keys stay."""
        banks = load_banks(self.file, self.var)
        problems = []
        for name in self.banks.keys() & banks.keys():
            try:
                ring = ring_of(banks[name])
                self.vaults[name].renew(ring)
            except ConfigError as error:
                problems.append(line_of_problem(self.file, name, banks[name], str(error)))
                continue
            self._note(name, banks[name])
            log.info("keys", bank=name, seals=ring.at(datetime.now(UTC)).kid, of=len(ring.keys))
        if problems:
            raise ConfigError("\n".join(problems))


def line_of_problem(file: Path, bank: str, settings: BankSettings, problem: str) -> str:
    """At the setting that names the file, or the address, that the problem begins with; else where the bank is named."""
    named = next((name for name, key in settings.files().items() if problem.startswith(f"{key}:")), "")
    if settings.url and problem.startswith(f"{settings.url} "):
        named = "url"
    return line_of_bank(file, bank, problem.removeprefix(f"bank '{bank}': "), "", named)


def _setting(settings: BankSettings, file: Path) -> str:
    return next((name for name, named in settings.files().items() if named == file), "sealing_key")


def _first(day: date) -> datetime:
    return datetime.min.replace(tzinfo=UTC) if day == date.min else beginning(day)


def _after(last: datetime) -> datetime:
    """The moment after a key's last one: where a key ends with its day, that at which another begins."""
    return last + datetime.resolution if last.date() < date.max else end(date.max)
