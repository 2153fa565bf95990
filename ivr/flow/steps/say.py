"""`say: <prompt>`: words, to be heard again or texted where the flow offers it."""

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import model_validator

from ivr.core.actions import SendEmail, SendSms
from ivr.core.email_addresses import is_email_address
from ivr.core.events import Event, KeysEntered, NoInput
from ivr.core.fixed_keys import AGAIN_KEY, TEXT_KEY
from ivr.flow.closing import Closing
from ivr.flow.parts import Drawn, Explained, Leads, Need, Phases, Said, Values, in_words
from ivr.flow.registry import step_kind
from ivr.flow.schema import AS_RECORDED
from ivr.flow.talk import ending
from ivr.flow.talk.texting import send_sms
from ivr.flow.talk.turn import Again, Listen, Reply, Turn, one_key
from ivr.flow.value_check import email_needed
from ivr.reading.scalars import Count, Name
from ivr.words.slots import DATE_KINDS

EMAIL_PROMPTS = ("receipt_email_subject", "receipt_email")
# A receipt is said and texted for each charge that was approved, and not at all where none was.
RECEIPT_VALUES = frozenset({"amount", "number", "confirmation_number"})
# What a receipt that is read says besides: filled in from the ledger when it is queued.
WRITTEN_RECEIPT = RECEIPT_VALUES | {"merchant", "paid_on", "brand", "last4", "paid_for"}


@step_kind
class SayStep(Closing):
    """Say a prompt."""

    word = "say"
    place = 60
    explained = Explained(
        "`say: <prompt>`",
        "Says a prompt",
        "`then: <step>` or `end`",
        "`repeat: 2`, `sms: send` or `sms: offer`; `email: send` at a receipt",
    )
    example = """
receipt: {say: confirmation_number, repeat: 2, sms: send, end: paid}
"""
    phases: ClassVar[Phases] = {"entry": "passes", "repeat": "offers"}
    leads: ClassVar[Leads] = {"entry": ("repeat",), "repeat": ()}
    speaks: ClassVar[Values] = {
        "may_hang_up": frozenset(),
        "repeat_offer": frozenset({"key"}),
        "sms_offer": frozenset({"key"}),
        "sms_sent": frozenset(),
        "receipt_sms": WRITTEN_RECEIPT,
    }
    values: ClassVar[Values] = {
        "merchant": frozenset({"text", "written"}),
        "paid_on": DATE_KINDS,
        "paid_for": frozenset({"text", "written"}),
    }

    say: Name
    """The prompt's name; its words are in flows/prompts/."""
    repeat: Count | None = None
    """How often the caller may hear it again."""
    sms: Literal["send", "offer"] | None = None
    """The same as a text message, to callers who can be texted: the prompt of this name with _sms at its end; receipt_sms for
    confirmation_number. send: as it is said, so that it goes out to callers who hang up too; offer: if they press 2."""

    email: Literal["send"] | None = None
    """A receipt also by e-mail, where the look-up gave an address (customer.email) and a mail server is set (smtp_url)."""

    @model_validator(mode="after")
    def is_a_receipt(self) -> "SayStep":
        if self.email and self.say != ending.RECEIPT:
            raise ValueError(f"email: a receipt goes by e-mail: say {ending.RECEIPT}")
        return self

    @property
    def text(self) -> str:
        """The text's name; its words are the prompt `<text>_sms`."""
        return "receipt" if self.say == ending.RECEIPT else self.say

    def says(self) -> Iterator[Said]:
        fills = RECEIPT_VALUES if self.say == ending.RECEIPT and self.end == AS_RECORDED else frozenset[str]()
        yield Said(("say",), self.say, fills)
        if self.sms:
            written = WRITTEN_RECEIPT if self.say == ending.RECEIPT else fills
            yield Said(("sms",), f"{self.text}_sms", written)
        if self.email:
            yield Said(("email",), "email_sent")
            for name in EMAIL_PROMPTS:
                yield Said(("email",), name, WRITTEN_RECEIPT)

    def needs(self, name: str) -> Iterator[Need]:
        if self.email:
            yield from email_needed(name, ("email",), self.declared.look_ups)

    def drawn(self) -> Drawn:
        return Drawn(self.colour, f"say {in_words(self.say)}")

    # ---- in a call

    def put(self, turn: Turn) -> Reply:
        turn = self._say(turn)
        if self.sms == "send":
            turn = self._send(turn)
        if self.email == "send":
            turn = self._mail(turn)
        if not self.repeat and self.sms != "offer":
            return self._go_on(turn)
        return self._offer(turn.say("may_hang_up") if self._is_last_word(turn) else turn)

    def put_again(self, turn: Turn) -> Reply:
        return self._offer(turn) if turn.call.phase == "repeat" else self.put(turn)

    def say_again(self, turn: Turn) -> Reply:
        """The words, and not only what may be done with them."""
        return self._repeat(turn) if turn.call.phase == "repeat" else self.put(turn)

    def hear(self, turn: Turn, event: Event) -> Reply:
        """Silence and the done or clear key go on; another key is told, or one slip would lose the caller the number."""
        if turn.call.phase != "repeat":
            return turn, Again()
        if not isinstance(event, KeysEntered | NoInput):
            return self._offer(turn)
        key = one_key(turn, event)
        offered = [offer for _, offer in self._offers(turn)]
        if key == AGAIN_KEY and key in offered:
            return self._repeat(turn)
        if key == TEXT_KEY and key in offered:
            return self._go_on(self._text_it(turn).say("sms_sent"))
        before = turn.call.mistakes
        if key == "" or before + 1 >= turn.flow.head.patience.tries:
            return self._go_on(turn)
        return self._offer(turn.change(mistakes=before + 1).say_what_failed("no_match", before))

    def _repeat(self, turn: Turn) -> Reply:
        return self._offer(self._say(turn.change(repeats=turn.call.repeats + 1)))

    def _say(self, turn: Turn) -> Turn:
        return ending.say(turn, self.say, is_last=self.end is not None)

    def _offer(self, turn: Turn) -> Reply:
        """With nothing left to offer the call goes on by itself."""
        offers = list(self._offers(turn))
        if not offers:
            return self._go_on(turn)
        turn = turn.change(phase="repeat")
        for prompt, key in offers:
            turn = turn.say(prompt, key=key)
        return turn.collect_one_key("repeat"), Listen()

    def _offers(self, turn: Turn) -> Iterator[tuple[str, str]]:
        if self.say == ending.RECEIPT and not turn.call.approved:
            return  # nothing was said that could be said again
        if turn.call.repeats < (self.repeat or 0):
            yield "repeat_offer", AGAIN_KEY
        if self.sms == "offer" and turn.call.can_text:
            yield "sms_offer", TEXT_KEY

    def _is_last_word(self, turn: Turn) -> bool:
        """Whoever hangs up now misses nothing."""
        return self.end is not None and ending.tells_all(turn, self.say)

    def _go_on(self, turn: Turn) -> Reply:
        """A step that has just said how the call ended does not say so twice."""
        turn = turn if self.end else turn.change(phase="entry")
        return self.go_on(turn, told=ending.tells_all(turn, self.say))

    def _send(self, turn: Turn) -> Turn:
        """A text that does not go is not spoken of: to a caller who cannot be texted, or without a charge to tell of."""
        texted = self._text_it(turn) if turn.call.can_text else turn
        return texted.say("sms_sent") if texted is not turn else turn

    def _mail(self, turn: Turn) -> Turn:
        """Where it will go, and only there; nothing of the address is said."""
        addresses = {charge.attempt: turn.call.email_for(charge) for charge in turn.call.approved}
        if not turn.call.can_email or not any(map(is_email_address, addresses.values())):
            return turn
        for charge in turn.call.approved:
            if not is_email_address(address := addresses[charge.attempt]):
                continue
            prompts = ending.RESERVATION_EMAIL if charge.reserves else EMAIL_PROMPTS
            subject, body = (turn.phrase(name, **ending.receipt_values(charge)) for name in prompts)
            turn = turn.do(SendEmail(subject, body, charge.attempt, address))
        return turn.say("email_sent") if all(map(is_email_address, addresses.values())) else turn

    def _text_it(self, turn: Turn) -> Turn:
        """A receipt is a text for each charge of the call; any other prompt is one text."""
        if self.say != ending.RECEIPT:
            return send_sms(turn, self.text)
        for charge in turn.call.approved:
            text = "reservation" if charge.reserves else self.text
            phrase = turn.phrase(f"{text}_sms", **ending.receipt_values(charge))
            turn = turn.do(SendSms(text, phrase, charge.attempt))
        return turn
