"""The keys that a bank has given, by the days on which each is good: the newest one that is good today seals.

All fields of a payment are sealed to one key, that of the first: a bank may look for the key once for a request.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

from ivr.errors import ConfigError
from ivr.vault.forms import FORMS, SealingForm
from ivr.vault.seal import SealContext, SealingKey, kid_of_seal, require_good


@dataclass(frozen=True)
class KeyFile:
    """One of several keys. `kid`: the bank's name for it, in place of the key's own. It seals from its first day to its last
    (UTC), within those of its certificate."""

    file: Path
    kid: str = ""
    not_before: date = date.min
    not_after: date = date.max


class KeyRing:
    """Read once. ConfigError where a file is no key, or where none is good today."""

    def __init__(self, keys: Path | Sequence[KeyFile], form: str, today: date | None = None) -> None:
        self._form = FORMS[form]
        today = today or datetime.now(UTC).date()
        try:
            if isinstance(keys, Path):
                self.keys: tuple[SealingKey, ...] = (self._only(keys, today),)
            else:
                self.keys = tuple(map(self._one_of, keys))
                self.at(today)
        except ConfigError as error:
            raise ConfigError(self._form.in_our_words(str(error))) from None
        self._by_kid: dict[str, tuple[SealingForm, SealingKey]] = {key.kid: (self._form, key) for key in self.keys}

    def follow(self, before: "KeyRing") -> None:
        """Takes the place of that one, whose keys still seal what was begun with them."""
        self._by_kid = before._by_kid | self._by_kid

    def can_go_on(self, beside: str) -> bool:
        """Whether what that seal was sealed to is known here, or cannot be told from it."""
        kid = kid_of_seal(beside)
        return not kid or kid in self._by_kid

    def _only(self, file: Path, today: date) -> SealingKey:
        """Its first day was looked at once: from then on only its end matters."""
        key = self._form.load_key(file)
        require_good(key, today)
        return replace(key, good_from=date.min)

    def _one_of(self, written: KeyFile) -> SealingKey:
        key = self._form.load_key(written.file)
        days = max(key.good_from, written.not_before), min(key.good_until, written.not_after)
        return replace(key, kid=written.kid or key.kid, good_from=days[0], good_until=days[1])

    def at(self, today: date) -> SealingKey:
        """Of two that begin on the same day, the one that is written last. ConfigError where none is good."""
        good = [key for key in reversed(self.keys) if key.good_from <= today <= key.good_until]
        if good:
            return max(good, key=lambda key: key.good_from)
        ended = [key for key in self.keys if key.good_until < today]
        require_good(max(ended or self.keys, key=lambda key: key.good_until), today)
        raise AssertionError("a key that is not good is refused")

    def seal(self, field: str, clear: bytearray, context: SealContext, today: date) -> str | None:
        form, key = self._by_kid.get(kid_of_seal(context.beside)) or (self._form, self.at(today))
        # A payment that began on a key's last day is sealed to it to the end, as if all of it had been sealed before midnight.
        return form.seal(field, clear, context, key, min(today, key.good_until))
