"""A receipt once more, because a caller has lost it or never had one: a text to the number they rang from, or an e-mail.

It says what the ledger says now, in the words and the language of the call. What cannot be sent, or would not be true, is refused
with the reason. Each is a message of its own in the outbox, and the forwarder sends it as it sends all others.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ivr.calls.results import RESULT_SUBJECT, ResultText
from ivr.calls.texting import SENDER_MISSING, is_withheld
from ivr.core.call import Call
from ivr.core.caller import mask_number
from ivr.core.email_addresses import is_email_address, mask_email
from ivr.core.stray_cards import is_card_typed
from ivr.errors import RecordError
from ivr.store import Payment, Store, TextMessage, Way
from ivr.words.phrases import Prompts

MOST = 5  # of one charge: whoever has not had five will not have a sixth
LONGEST_ABOUT = 200  # characters of an audit event


class SentBeforeError(RecordError):
    """The same receipt went to the same recipient already: a form or a request that came twice."""


@dataclass(frozen=True)
class Resender:
    """`write` and `head`: the words, and the subject of an e-mail. `can_text`, `can_email`: whether they go out at present."""

    store: Store
    prompts_of: Callable[[str], Prompts]
    write: ResultText
    head: ResultText
    can_text: Callable[[str], bool]
    can_email: Callable[[], bool]

    def sent_so_far(self, payment: Payment) -> int:
        """How often it was sent again. A form carries it, so that one that is sent twice sends one receipt."""
        call = payment.intent.call
        ids = [one.id for one in (*self.store.texts_of(call), *self.store.emails_of(call))]
        return sum(one.startswith(resent_id(payment)) for one in ids)

    def why_not(self, payment: Payment, way: Way) -> str:
        """Why no receipt can be sent this way, whoever it is for; "" where one can."""
        if refused := self._untrue(payment):
            return refused
        call = self._call(payment)
        if call is None:
            return "the call is not on record any more, and nobody can say in which words"
        if not self.prompts_of(call.flow_version).languages():
            return "no flow serves now, and nobody can say in which words"
        return self._no_text(call) if way == "text" else self._no_email(call)

    def resend(self, payment: Payment, way: Way, address: str, so_far: int, by: str, now: datetime) -> str:
        """What was done, in words. RecordError says why nothing is sent; that is on record too. `address`: of an e-mail; a text goes
        to the caller alone."""
        try:
            return self._resend(payment, way, address, so_far, by, now)
        except RecordError as error:
            about = f"{payment.intent.reference}: {error}"[:LONGEST_ABOUT]
            self.store.note(by, "receipt not resent", about, now)
            raise

    def _resend(self, payment: Payment, way: Way, address: str, so_far: int, by: str, now: datetime) -> str:
        problem = self.why_not(payment, way)
        if not problem and way == "email":
            problem = address_problem(address)
        if not problem and so_far >= MOST:
            problem = f"it was sent again {MOST} times already"
        call = self._call(payment)
        if problem or call is None:
            raise RecordError(problem)
        recipient, shown = (call.ani, mask_number(call.ani)) if way == "text" else (address, mask_email(address))
        reference = payment.intent.reference
        message = TextMessage(
            id=resent_id(payment, so_far + 1),
            recipient=recipient,
            body=self.write(call, payment),
            is_sent=False,
            way=way,
            subject=self.head(call, payment) if way == "email" else "",
        )
        if not self.store.queue_again(message, by, f"{reference}: {way} to {shown}", now):
            before, words = self.store.text_message(message.id), "that receipt was sent already: look what became of it"
            is_same = before is not None and (before.way, before.recipient) == (way, recipient)
            raise SentBeforeError(words) if is_same else RecordError(words)
        return f"a {'text' if way == 'text' else 'mail'} to {shown} is on its way: the forwarder sends it"

    def _untrue(self, payment: Payment) -> str:
        if payment.status in ("accepted", "sent", "unknown"):
            return "the bank has not said yet what became of it"
        if not payment.is_charged or not payment.is_decided:
            return "nothing is charged for good: there is no receipt"
        balance = self.store.balance_of(payment)
        if balance.returned.minor or balance.asked.minor:
            return "some of it was given back, or is about to be, and a receipt would not say so"
        return ""

    def _no_text(self, call: Call) -> str:
        if is_withheld(call.ani):
            return "the caller's number was withheld"
        if self.can_text(call.ani):
            return ""
        return self.store.text_trouble() or f"no text can go to that number, or {SENDER_MISSING}"

    def _no_email(self, call: Call) -> str:
        if not self.can_email():
            return self.store.email_trouble() or "no mail server is configured: set SMTP_URL and SMTP_FROM"
        prompts = self.prompts_of(call.flow_version)
        known = prompts.languages()
        language = call.language if call.language in known else known[0]
        has_words = RESULT_SUBJECT in prompts.names(language)
        problem = f"the flow sends no e-mails (`email: send`), and has no words to head one with ({RESULT_SUBJECT})"
        return "" if has_words else problem

    def _call(self, payment: Payment) -> Call | None:
        stored = self.store.load_call(payment.intent.call)
        return stored.call if stored is not None and stored.is_whole else None


def resent_id(payment: Payment, number: int | str = "") -> str:
    """Of the message that the receipt went in, for the first time again, the second; without a number what all of them begin with."""
    return f"{payment.intent.reference}-resent_{number}"


def address_problem(address: str) -> str:
    if is_card_typed(address):
        return "address: that holds a card number"
    return "" if is_email_address(address) else "address: that is no e-mail address: name@example.com is one"
