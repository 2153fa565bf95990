"""`sms: <prompt>`: sends a text and says so."""

from collections.abc import Iterator
from typing import ClassVar, Literal

from ivr.flow.closing import Closing
from ivr.flow.parts import Drawn, Explained, Need, Place, Said, Values, in_words
from ivr.flow.registry import step_kind
from ivr.flow.talk.texting import send_sms
from ivr.flow.talk.turn import Reply, Turn
from ivr.flow.value_check import value_needed
from ivr.reading.scalars import Name


@step_kind
class SmsStep(Closing):
    """Send a text message and say so."""

    word = "sms"
    place = 70
    explained = Explained(
        "`sms: <prompt>`",
        "Sends a text (the prompt `<prompt>_sms`) and says so",
        "`then: <step>` or `end`",
        "`link: bill`: the text has a `{link:text}` to where the bill can be paid",
    )
    example = """
send_link: {sms: pay_by_link, link: bill, end: unpaid}
"""
    speaks: ClassVar[Values] = {"cannot_text": frozenset()}
    values: ClassVar[Values] = {"link": frozenset({"text", "written"})}

    sms: Name
    """The prompt that is said; the text sent is the prompt of this name with _sms at its end."""

    link: Literal["bill"] | None = None
    """The text leads to the merchant's page for the bill that was looked up (settings: pay_link)."""

    def says(self) -> Iterator[Said]:
        link = frozenset({"link"} if self.link else ())
        yield Said(("sms",), self.sms)
        yield Said(("sms",), f"{self.sms}_sms", link, must_say=link)

    def needs(self, name: str) -> Iterator[Need]:
        if self.link:
            yield from value_needed(name, ("link",), "bill.due")

    @property
    def relies_on(self) -> Iterator[tuple[Place, str]]:
        if self.link:
            yield ("link",), "pay_link"

    def drawn(self) -> Drawn:
        return Drawn(self.colour, f"text {in_words(self.sms)}")

    def put(self, turn: Turn) -> Reply:
        """A text that cannot go is not promised."""
        if not turn.call.can_text:
            return self.go_on(turn.say("cannot_text"))
        return self.go_on(send_sms(turn, self.sms, has_link=self.link is not None).say(self.sms))
