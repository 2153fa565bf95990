"""Actions as TwiML: `<Say>`, `<Gather input="dtmf">`, `<Pay>`, `<Pause>`, `<Redirect>`, `<Dial>`, `<Hangup>`. Words only, no decisions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from ivr.channels.twilio.gathering import ASKED_AGAIN, listening_for
from ivr.channels.twilio.languages import twilio_language
from ivr.core.actions import CaptureCard, ChannelAction, Collect, HangUp, Phrase, Speak, Transfer, Wait

HEAD = '<?xml version="1.0" encoding="UTF-8"?><Response>'
TAIL = "</Response>"
# On hold: Twilio cannot be told when the bank has answered, so it asks again after the words, or after the shortest pause.
PAUSE = '<Pause length="1"/>'
# Twilio Pay's names for brands that it calls otherwise.
PAY_BRANDS = {"diners": "diners-club"}
PAY_MOST_TRIES = 3  # <Pay maxAttempts> takes 1 to 3


@dataclass(frozen=True)
class Writer:
    """`words` gives a phrase's text, or a URL to play instead of it (tone prompts); `parts`, where there are recordings, its
    texts and URLs in order."""

    words: Callable[[Phrase], str]
    parts: Callable[[Phrase], Sequence[str]] | None = None

    def answer(self, actions: Sequence[ChannelAction], url: str) -> str:
        """The whole response; `url` is where the next request of this call goes."""
        said: list[str] = []
        for action in actions:
            match action:
                case Speak():
                    said += [self._say(phrase) for phrase in action.phrases]
                case Collect():
                    return f"{HEAD}{_gather(action, url, ''.join(said))}{TAIL}"
                case CaptureCard():
                    return f"{HEAD}{''.join(said)}{_pay(action, url)}{TAIL}"
                case Wait():
                    return f'{HEAD}{"".join(said) or PAUSE}<Redirect method="POST">{escape(url + ASKED_AGAIN)}</Redirect>{TAIL}'
                case Transfer(number):
                    return f"{HEAD}{''.join(said)}{_dial(number, url)}{TAIL}"
                case HangUp():
                    said.append("<Hangup/>")
        return f"{HEAD}{''.join(said)}{TAIL}"

    def _say(self, phrase: Phrase) -> str:
        parts = self.parts(phrase) if self.parts is not None else (self.words(phrase),)
        return "".join(_part(part, phrase.language) for part in parts)


class Address(str):
    """What is played, where another text is said: a merchant's own words may begin with a slash."""

    __slots__ = ()


def _part(part: str, language: str) -> str:
    if isinstance(part, Address):
        return f"<Play>{escape(part)}</Play>"
    return f'<Say language="{twilio_language(language)}">{escape(part)}</Say>'


def _gather(collect: Collect, url: str, said: str) -> str:
    listening = listening_for(collect)
    return listening.gather(url, listening.gap_s, digits=listening.digits, said=said)


def _dial(number: str, url: str) -> str:
    """`action`: asked when the person has hung up, or was not reached; without one Twilio would hang up."""
    return f'<Dial action={quoteattr(url + ASKED_AGAIN)} method="POST">{escape(number)}</Dial>'


def silence(gather: str) -> str:
    """An answer that only goes on listening."""
    return f"{HEAD}{gather}{TAIL}"


def _pay(action: CaptureCard, url: str) -> str:
    """`tokenize`: the connector seals the card and gives a token; the charge is then ours, once, like any other."""
    brands = " ".join(PAY_BRANDS.get(brand, brand) for brand in action.brands)
    postal = "true" if "postal_code" in action.fields else "false"
    code = "true" if "security_code" in action.fields else "false"
    return (
        f'<Pay input="dtmf" paymentConnector={quoteattr(action.connector)} tokenType="one-time" action={quoteattr(url + ASKED_AGAIN)}'
        f' maxAttempts="{min(action.tries, PAY_MOST_TRIES)}" postalCode="{postal}" securityCode="{code}" validCardTypes={quoteattr(brands)}'
        f' language="{twilio_language(action.language)}"><Parameter name="intent" value={quoteattr(action.intent)}/></Pay>'
    )
