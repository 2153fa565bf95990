"""The forwarder's side of keys and certificates: taken up while charges are under way, and an alarm before one ends.

What is asked of a bank goes on over the connections that it began on; new ones show and trust what was taken up. Cards
that were sealed to an older key are opened for as long as a charge may need them (`opening`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import structlog

from ivr import metrics
from ivr.bank import Bank, BankSettings, VaultSealed, line_of_bank, load_banks, open_bank
from ivr.calls.bank_keys import KeyEnd, ends_of, line_of_problem, ring_of, terms_of
from ivr.errors import ConfigError
from ivr.forwarder.opening import CardOpener, opener_for, opening_keys
from ivr.store import Store

log = structlog.get_logger()
WHO = "forwarder"


def open_banks(
    file: Path, written: Mapping[str, BankSettings], environ: Mapping[str, str]
) -> tuple[dict[str, Bank], dict[str, CardOpener]]:
    """By name, with the openers of those that want cards in clear. `file`: `banks.yaml`. ConfigError says every problem, with its line."""
    banks, openers, problems = {}, {}, []
    for name, settings in written.items():
        try:
            opener = opener_for(settings)
            banks[name] = open_bank(name, settings, environ, opener)
        except ConfigError as error:
            problems.append(line_of_problem(file, name, settings, str(error)))
            continue
        if opener is not None:
            openers[name] = opener
    if problems:
        raise ConfigError("\n".join(problems))
    return banks, openers


@dataclass
class ForwarderKeys:
    """`file`: `banks.yaml`; `var`: where its files are; `settings`: as they were read at the start."""

    store: Store
    file: Path
    var: Path
    settings: dict[str, BankSettings]
    banks: Mapping[str, Bank]
    openers: Mapping[str, CardOpener]
    _noted: date | None = field(default=None, init=False)

    def reload(self) -> None:
        """Each bank on its own. ConfigError says every problem, with its line; where a bank has one, all of it stays."""
        written, problems = load_banks(self.file, self.var), []
        for name in self.settings.keys() & written.keys():
            try:
                self._take_up(name, written[name])
            except ConfigError as error:
                problems.append(line_of_problem(self.file, name, written[name], str(error)))
        if problems:
            raise ConfigError("\n".join(problems))

    def _take_up(self, name: str, settings: BankSettings) -> None:
        ring = ring_of(settings)  # the vaults' to use; one that could not be used is no reason to change anything here
        opener = self.openers.get(name)
        opens = opening_keys(settings) if isinstance(settings, VaultSealed) else []
        CardOpener(opens)  # before anything is changed
        self.banks[name].renew(settings)
        if opener is not None:
            opener.renew(opens)
        self.settings[name] = settings
        now = datetime.now(UTC)
        about = f"{name}: seals to {ring.at(now).kid}, {len(ring.keys)} in all"
        log.info("keys taken up", bank=name, kids=[key.kid for key in ring.keys])
        self.store.note(WHO, "keys taken up", about, now)

    def look(self, now: datetime | None = None) -> list[KeyEnd]:
        """Housekeeping: the figures each time; once a day what ends soon is logged, and what begins today is taken up."""
        now = now or datetime.now(UTC)
        found = [end for name, settings in self.settings.items() for end in self._ends(name, settings, now)]
        for end in found:
            metrics.KEY_ENDS.labels(end.bank, end.what).set(end.ends.timestamp() if end.ends else 0.0)
        if self._noted == now.date():
            return found
        for end in found:
            if end.is_alarming(now):
                line = line_of_bank(self.file, end.bank, end.told(now), "", end.setting)
                log.error("a key or certificate is about to end", bank=end.bank, what=end.what, problem=line)
        if self._noted is not None:
            self._begin_day()
        self._noted = now.date()
        return found

    def _ends(self, name: str, settings: BankSettings, now: datetime) -> list[KeyEnd]:
        try:
            ring = ring_of(settings)
        except ConfigError as error:
            log.error("a key cannot be used", bank=name, problem=str(error))
            ring = None
        return list(ends_of(name, terms_of(settings, ring), now))

    def _begin_day(self) -> None:
        for name, settings in self.settings.items():
            if getattr(settings, "client_certificates", ()):
                self.banks[name].renew(settings)
