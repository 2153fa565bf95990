"""One person's data, by telephone number: everything that is kept of it as JSON, and deleting it; both are put on record."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from ivr.core.caller import caller_key, is_telephone_number, mask_number, may_lack_country_code, shown_end
from ivr.errors import RecordError
from ivr.store import Person, PersonForgotten, Store

STAYS = (
    "charges, refunds and the ledger stay, with amount, last four digits and account: they are the books; the number in them is "
    "replaced by a mark that leads to nobody",
    "what was agreed to stays, word for word: it proves what was owed or allowed, and has no number",
    "the audit trail stays: it has no number but the shortened one of this deletion",
)

EXAMPLE = "+1 202 555 0100"


class NotANumberError(RecordError):
    """What was given is nobody's telephone number; nothing of it is in the message."""


class NothingKeptError(RecordError):
    """Nothing is kept of the number, as it was written."""


@dataclass(frozen=True)
class PersonalData:
    """`hash_number`: a caller's number as the ledger knows it. NotANumberError where a number is none, NothingKeptError where
    nothing is kept of it. `by`: who asked, for the audit trail: whether somebody is known here is a thing to be told as well, so
    that a number of nobody is on record too. `through`: what a program has asked with."""

    store: Store
    hash_number: Callable[[str], str]
    through: str = ""

    def look_for(self, number: str, by: str, now: datetime) -> Person:
        found = self._person(number)
        self._note_search(number, by, now)
        return self._known(number, found)

    def find(self, number: str) -> Person:
        """Without a record: for what leaves one of its own."""
        return self._known(number, self._person(number))

    def export(self, number: str, by: str, now: datetime) -> str:
        found = self._theirs(number, by, now)
        told = {
            "number": number,
            "exported_at": now.astimezone(UTC).isoformat(timespec="seconds"),
            "stays": list(STAYS),
        }
        text = json.dumps(told | dict(self.store.person_record(self._hash(number))), indent=1, ensure_ascii=False)
        about = f"{mask_number(number)}: {len(found.calls)} calls, {len(found.charges)} charges"
        self.store.note(by, "personal data exported", about, now)
        return text

    def delete(self, number: str, by: str, now: datetime) -> PersonForgotten:
        """RecordError also while something of theirs is open: it is to be asked for again later."""
        self._theirs(number, by, now)
        done = self.store.forget_person(self._hash(number), by, mask_number(number), now)
        if not isinstance(done, PersonForgotten):
            raise RecordError(f"not now: {done.why}; ask again when it is over")
        return done

    def _theirs(self, number: str, by: str, now: datetime) -> Person:
        found = self._person(number)
        if found.is_nobody:
            self._note_search(number, by, now)
        return self._known(number, found)

    def _note_search(self, number: str, by: str, now: datetime) -> None:
        about = "; ".join(filter(None, (mask_number(number), self.through)))
        self.store.note(by, "personal data looked for", about, now)

    def _person(self, number: str) -> Person:
        """Some callers have a name in place of a number (`alice` of a telephone system): they are found by it."""
        found = self.store.person(self._hash(number))
        if found.is_nobody and not (is_telephone_number(number) or "@" in caller_key(number)):
            raise NotANumberError(
                f"that is no telephone number: expected it with the country's code, such as {EXAMPLE}"
            )
        return found

    def _known(self, number: str, found: Person) -> Person:
        if found.is_nobody:
            raise NothingKeptError(f"nothing is kept of {called(number)}{with_country_code(number)}")
        return found

    def _hash(self, number: str) -> str:
        if not caller_key(number):
            raise NotANumberError(f"expected a telephone number, such as {EXAMPLE}: a withheld one is nobody's")
        return self.hash_number(number)


def with_country_code(number: str) -> str:
    """What to add where a number was not found that may be written as people of its own country do."""
    return f"; with the country's code, such as {EXAMPLE}, it may be found" if may_lack_country_code(number) else ""


def called(number: str) -> str:
    """Of a short number, and of a name, nothing is shown."""
    return mask_number(number) if shown_end(number) else "that caller"


def words_of(done: PersonForgotten) -> str:
    return (
        f"deleted: calls {done.calls}, texts and e-mails {done.texts}, guesses {done.guesses}, notices {done.notices}, "
        f"kept cards {done.kept_cards}, remembered {done.remembered}; without the number from now on: charges {done.charges}"
    )
