"""Rotates what the line can rotate by itself; each of them, and each refusal, is on record."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path

from ivr.bank import BankSettings, SealingKeyEntry, VaultSealed, load_banks
from ivr.bank.dev_keys import new_bank_key, new_forwarders_key
from ivr.books.audit_heads import PRIVATE, renew_signing_key, signed_line
from ivr.calls.bank_keys import ring_of
from ivr.errors import ConfigError, IvrError, RecordError
from ivr.incidents.key_plans import RotationPlan, is_rotated_by_line, plan_of
from ivr.incidents.keys_file import add_key
from ivr.incidents.line_keys import LineKey, alarms_of, keys_of
from ivr.places import COMMAND
from ivr.settings import Settings
from ivr.store import Store

DAY = timedelta(days=1)
LONGEST_ABOUT = 200


@dataclass(frozen=True)
class LineKeys:
    """`renew_portal_key`: the portal's own work, which is above this package: a new key, and what was encrypted with the old."""

    settings: Settings
    store: Store
    renew_portal_key: Callable[[Path, Store], None]
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)

    def all(self, now: datetime) -> list[LineKey]:
        """ConfigError where `banks.yaml` cannot be read."""
        return keys_of(self.settings, self.store, now, self.environ)

    def alarms(self, now: datetime) -> dict[str, str]:
        """By name of the keys that `all` has: what is alarming about them. ConfigError as there."""
        found = [alarms_of(name, bank, now) for name, bank in self._banks().items()]
        return {name: words for one in found for name, words in one.items()}

    def plan(self, name: str, now: datetime) -> RotationPlan:
        """RecordError for a name that is none. Of a bank's key it says how many charges are under way."""
        found, banks = plan_of(name, self.all(now), self.settings, self._banks()), self._banks()
        bank, _, kind = name.partition(" ")
        if bank not in banks or kind != "sealing":
            return found
        figures = self.store.bank_figures(now - DAY, now + DAY).get(bank)
        waiting = figures.open if figures else 0
        return replace(found, stays=f"{found.stays} Now {waiting} of the last day's charges have no answer yet.")

    def rotate(self, name: str, who: str, now: datetime, day: date | None = None) -> str:
        """What was done, in words; `day`: from when a sealing key is used [tomorrow]. RecordError or ConfigError says why not, and
        nothing has changed."""
        try:
            done, about = self._rotate(name, now, day)
        except IvrError as error:
            self.store.note(who, "key not rotated", f"{name[:60]}: {str(error).splitlines()[0]}"[:LONGEST_ABOUT], now)
            raise
        self.store.note(who, "key rotated", about[:LONGEST_ABOUT], now)
        return done

    def _rotate(self, name: str, now: datetime, day: date | None) -> tuple[str, str]:
        """What was done, and what stands in the audit trail."""
        plan, keys, bank = self.plan(name, now), self.settings.var / "keys", name.removesuffix(" sealing")
        if not plan.by_line and bank not in self._banks():
            raise RecordError(
                f"'{name}' is not the line's to rotate: nothing was changed; it is done by the plan's commands"
            )
        if name == "audit":
            last = signed_line(self.store.audit_head(), keys / PRIVATE, now)
            old, new = renew_signing_key(keys)
            return f"a new audit signing key; the last head by the old one: {last}", f"audit: from {old} to {new}"
        if name == "portal":
            self.renew_portal_key(keys, self.store)
            return (
                "a new portal key; every authenticator's secret is encrypted with it",
                "portal: all codes encrypted anew",
            )
        entry = self.new_sealing_key(bank, day or now.date() + DAY)
        return f"{bank} seals to {entry['file']} from {entry['not_before']} on: send SIGHUP before", _about(bank, entry)

    def new_sealing_key(self, name: str, day: date) -> dict[str, str]:
        """Made and listed: its entry in `banks.yaml`. ConfigError where the bank makes its own, or a file cannot be written."""
        bank, keys, written = self._banks()[name], self.settings.var / "keys", day.isoformat()
        if not is_rotated_by_line(bank, self.settings):
            raise ConfigError(
                f"the bank makes the key of '{name}': ask for its next one, then `{COMMAND} keys add {name} FILE`"
            )
        if isinstance(bank, VaultSealed):
            certificate, key = new_forwarders_key(keys, written)
            made = {"file": certificate, "opening_key": key}
        else:
            made = {"file": new_bank_key(keys, self.settings.var / "bank", written, by_hpke=bool(bank.sealing_form))}
        entry = {name: below(self.settings.var, file) for name, file in made.items()} | {"not_before": written}
        self.list_sealing_key(
            name, bank, entry
        )  # where it cannot, the error has the line to write by hand: the files stay
        return entry

    def list_sealing_key(self, name: str, bank: BankSettings, entry: Mapping[str, str]) -> None:
        """It is read first: what is no key in the form that this bank is sealed to, or has another key's name, changes nothing
        (ConfigError)."""
        var = self.settings.var
        before = {"file": below(var, bank.sealing_key)}
        if isinstance(bank, VaultSealed):
            before |= {"opening_key": below(var, bank.opening_key)}
        ring_of(bank.model_copy(update={"sealing_key": var / entry["file"], "sealing_keys": ()}))
        listed = bank.sealing_keys or [SealingKeyEntry(file=bank.sealing_key)]
        beside = SealingKeyEntry(file=var / entry["file"], kid=entry.get("kid", ""))
        ring_of(bank.model_copy(update={"sealing_keys": [*listed, beside]}))
        add_key(self.settings.banks, var, name, before, entry)

    def note_added(self, name: str, entry: Mapping[str, str], who: str, now: datetime) -> None:
        self.store.note(who, "key added", _about(name, entry), now)

    def _banks(self) -> dict[str, BankSettings]:
        return load_banks(self.settings.banks, self.settings.var)


def below(var: Path, file: Path) -> str:
    """As `banks.yaml` has it: relative to VAR where it is in there."""
    whole = (var / file).resolve()
    return str(whole.relative_to(var.resolve())) if whole.is_relative_to(var.resolve()) else str(whole)


def _about(bank: str, entry: Mapping[str, str]) -> str:
    return f"{bank}: {entry['file']} from {entry['not_before']}"
