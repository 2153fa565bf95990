"""One person's data, by telephone number: everything that is kept of it as JSON, and deleting it; both are put on record."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from ivr.core.caller import caller_key, mask_number
from ivr.errors import RecordError
from ivr.store import Person, PersonForgotten, Store

STAYS = (
    "charges, refunds and the ledger stay, with amount, last four digits and account: they are the books; the number in them is "
    "replaced by a mark that leads to nobody",
    "what was agreed to stays, word for word: it proves what was owed or allowed, and has no number",
    "the audit trail stays: it has no number but the shortened one of this deletion",
)


@dataclass(frozen=True)
class PersonalData:
    """`hash_number`: a caller's number as the ledger knows it. RecordError where a number is none, or nothing is kept of it. `by`: who
    asked, for the audit trail."""

    store: Store
    hash_number: Callable[[str], str]

    def find(self, number: str) -> Person:
        found = self.store.person(self._hash(number))
        if found.is_nobody:
            raise RecordError(f"nothing is kept of {mask_number(number)}")
        return found

    def export(self, number: str, by: str, now: datetime) -> str:
        found = self.find(number)
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
        self.find(number)
        done = self.store.forget_person(self._hash(number), by, mask_number(number), now)
        if not isinstance(done, PersonForgotten):
            raise RecordError(f"not now: {done.why}; ask again when it is over")
        return done

    def _hash(self, number: str) -> str:
        if not caller_key(number):
            raise RecordError("expected a telephone number: a withheld one is nobody's")
        return self.hash_number(number)


def words_of(done: PersonForgotten) -> str:
    return (
        f"deleted: calls {done.calls}, texts and e-mails {done.texts}, guesses {done.guesses}, notices {done.notices}, "
        f"kept cards {done.kept_cards}, remembered {done.remembered}; without the number from now on: charges {done.charges}"
    )
