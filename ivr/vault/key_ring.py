"""The keys that a bank has given, by when each is good: the newest one that is good now seals.

All fields of a payment are sealed to one key, that of the first: a bank may look for the key once for a request.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

from ivr.errors import ConfigError
from ivr.vault.forms import FORMS, SealingForm
from ivr.vault.seal import SealContext, SealingKey, kid_of_seal, last_of, require_good


@dataclass(frozen=True)
class KeyFile:
    """One of several keys. `kid`: the bank's name for it, in place of the key's own. It seals from its first day to its last
    (UTC), and never after its certificate has ended."""

    file: Path
    kid: str = ""
    not_before: date = date.min
    not_after: date = date.max


class KeyRing:
    """Read once. ConfigError where a file is no key, where two keys have one name, or where none is good now."""

    def __init__(self, keys: Path | Sequence[KeyFile], form: str, now: datetime | None = None) -> None:
        self._form = FORMS[form]
        now = now or datetime.now(UTC)
        try:
            if isinstance(keys, Path):
                self.keys: tuple[SealingKey, ...] = (self._only(keys, now),)
            else:
                self.keys = tuple(map(self._one_of, keys))
                require_own_names(self.keys)
                self.at(now)
        except ConfigError as error:
            raise ConfigError(self._form.in_our_words(str(error))) from None
        self._by_kid: dict[str, tuple[SealingForm, SealingKey]] = {key.kid: (self._form, key) for key in self.keys}

    def follow(self, before: "KeyRing") -> None:
        """Takes the place of that one, whose keys still seal what was begun with them. ConfigError where another key has the
        name of one of those, and then nothing has changed."""
        require_own_names([*(key for _, key in before._by_kid.values()), *self.keys])
        self._by_kid = before._by_kid | self._by_kid

    def can_go_on(self, beside: str) -> bool:
        """Whether what that seal was sealed to is known here, or cannot be told from it."""
        kid = kid_of_seal(beside)
        return not kid or kid in self._by_kid

    def _only(self, file: Path, now: datetime) -> SealingKey:
        """Its first day was looked at once: from then on only its end matters."""
        key = self._form.load_key(file)
        require_good(key, now)
        return replace(key, good_from=date.min)

    def _one_of(self, written: KeyFile) -> SealingKey:
        key = self._form.load_key(written.file)
        first, last = max(key.good_from, written.not_before), min(key.good_until, last_of(written.not_after))
        return replace(key, kid=written.kid or key.kid, good_from=first, good_until=last)

    def at(self, now: datetime) -> SealingKey:
        """Of two that begin on the same day, the one that is written last. ConfigError where none is good."""
        good = [key for key in reversed(self.keys) if key.good_from <= now.date() and now <= key.good_until]
        if good:
            return max(good, key=lambda key: key.good_from)
        ended = [key for key in self.keys if key.good_until < now]
        require_good(max(ended or self.keys, key=lambda key: key.good_until), now)
        raise AssertionError("a key that is not good is refused")

    def seal(self, field: str, clear: bytearray, context: SealContext, now: datetime) -> str | None:
        form, key = self._by_kid.get(kid_of_seal(context.beside)) or (self._form, self.at(now))
        # A payment that began before a key's end is sealed to it to the last field, as if all had been sealed before that.
        return form.seal(field, clear, context, key, min(now, key.good_until))


def require_own_names(keys: Sequence[SealingKey]) -> None:
    """A seal names its key by `kid` alone: of two keys under one name a card number would go to one, and the security code
    beside it to the other."""
    named: dict[str, SealingKey] = {}
    for key in keys:
        first = named.setdefault(key.kid, key)
        if first.thumbprint != key.thumbprint:
            other = (
                f"as {first.file} has" if first.file != key.file else "and the key that was in this file before has it"
            )
            raise ConfigError(f"{key.file}: its kid is '{key.kid}', {other}: give each key a kid of its own")
