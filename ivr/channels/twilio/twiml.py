"""Actions as TwiML: `<Say>`, `<Gather input="dtmf">`, `<Pay>`, `<Pause>`, `<Redirect>`, `<Hangup>`. Words only, no decisions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from urllib.parse import urlencode
from xml.sax.saxutils import escape, quoteattr

from ivr.channels.twilio.languages import twilio_language
from ivr.core.actions import CaptureCard, ChannelAction, Collect, HangUp, Phrase, Speak, Wait

HEAD = '<?xml version="1.0" encoding="UTF-8"?><Response>'
TAIL = "</Response>"
# Twilio Pay's names for brands that it calls otherwise.
PAY_BRANDS = {"diners": "diners-club"}
PAY_MOST_TRIES = 3  # <Pay maxAttempts> takes 1 to 3


@dataclass(frozen=True)
class Writer:
    """`words` gives a phrase's text, or a URL to play instead of it (tone prompts)."""

    words: Callable[[Phrase], str]

    def answer(self, actions: Sequence[ChannelAction], url: str) -> str:
        """The whole response; `url` is where the next request of this call goes."""
        said: list[str] = []
        for action in actions:
            match action:
                case Speak():
                    said += [self._say(phrase) for phrase in action.phrases]
                case Collect():
                    return f"{HEAD}{gather(action, url, action.inter_digit_timeout_s, ''.join(said))}{TAIL}"
                case CaptureCard():
                    return f"{HEAD}{''.join(said)}{_pay(action, url)}{TAIL}"
                case Wait():
                    pause = f'<Pause length="{ceil(action.seconds)}"/>'
                    return f'{HEAD}{"".join(said)}{pause}<Redirect method="POST">{escape(url)}</Redirect>{TAIL}'
                case HangUp():
                    said.append("<Hangup/>")
        return f"{HEAD}{''.join(said)}{TAIL}"

    def _say(self, phrase: Phrase) -> str:
        words = self.words(phrase)
        if words.startswith("/"):
            return f"<Play>{escape(words)}</Play>"
        return f'<Say language="{twilio_language(phrase.language)}">{escape(words)}</Say>'


def gather(collect: Collect, url: str, timeout_s: float, said: str = "") -> str:
    """Twilio has one timer, which each key restarts: the inter-digit one. What the first key is allowed beyond it
    comes as a second, silent Gather (`remaining_patience`), so that a slow start does not slow every entry's end."""
    rules = collect.rules
    limit = f' numDigits="{rules.max_length}"' if rules.ends_by_length and not rules.ends_at else ""
    extra = collect.first_key_timeout_s - collect.inter_digit_timeout_s
    if extra > 0 and "more=" not in url:
        query = urlencode({"more": ceil(extra), "n": rules.max_length if limit else 0, "done": rules.done})
        url = f"{url}&{query}"
    return (
        f'<Gather input="dtmf" action={quoteattr(url)} method="POST" timeout="{ceil(timeout_s)}"{limit}'
        f' finishOnKey="{rules.done}" actionOnEmptyResult="true">{said}</Gather>'
    )


def second_gather(url: str, more_s: int, digits: int, done: str) -> str:
    """The silent rest of the first key's patience."""
    limit = f' numDigits="{digits}"' if digits else ""
    return (
        f'{HEAD}<Gather input="dtmf" action={quoteattr(url)} method="POST" timeout="{more_s}"{limit}'
        f' finishOnKey="{done}" actionOnEmptyResult="true"></Gather>{TAIL}'
    )


def _pay(action: CaptureCard, url: str) -> str:
    """`tokenize`: the connector seals the card and gives a token; the charge is then ours, once, like any other."""
    brands = " ".join(PAY_BRANDS.get(brand, brand) for brand in action.brands)
    postal = "true" if "postal_code" in action.fields else "false"
    code = "true" if "security_code" in action.fields else "false"
    return (
        f'<Pay input="dtmf" paymentConnector={quoteattr(action.connector)} tokenType="one-time" action={quoteattr(url)}'
        f' maxAttempts="{min(action.tries, PAY_MOST_TRIES)}" postalCode="{postal}" securityCode="{code}" validCardTypes={quoteattr(brands)}'
        f' language="{twilio_language(action.language)}"><Parameter name="intent" value={quoteattr(action.intent)}/></Pay>'
    )
