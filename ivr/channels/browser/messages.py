"""What the page may send as text, checked at the border; what it is sent is made where it happens."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from ivr.errors import PeerError

LONGEST = 512  # characters
Key = Literal["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "#"]


class FromPage(BaseModel):
    # `hide_input_in_errors`: what was sent may be a key of a card.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Dial(FromPage):
    """`ani`: the number that the caller wants to have; empty withholds it."""

    do: Literal["call"]
    flow: str = Field(max_length=60)
    ani: str = Field(pattern=r"^(\+?[0-9]{3,15})?$")


class PressMessage(FromPage):
    """One key as an event, where the page does not send tones."""

    do: Literal["key"]
    key: Key = Field(repr=False)


class HangUpMessage(FromPage):
    do: Literal["hang_up"]


_ANY: TypeAdapter[Dial | PressMessage | HangUpMessage] = TypeAdapter(
    Annotated[Dial | PressMessage | HangUpMessage, Field(discriminator="do")]
)


def read_message(text: str) -> Dial | PressMessage | HangUpMessage:
    """PeerError names what is wrong with it, and quotes nothing of it."""
    if len(text) > LONGEST:
        raise PeerError(f"a message of more than {LONGEST} characters")
    try:
        return _ANY.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"])) or "message"
        raise PeerError(f"not a message of ours: {place}: {first['type']}") from None
