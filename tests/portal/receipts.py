"""What sends receipts again on a line of a test: in the words of the flow that ships, by a sender and a mail server that are there or not."""

from dataclasses import dataclass

from ivr.calls.resending import Resender
from ivr.calls.results import result_subject, result_words
from ivr.words.phrases import Prompts
from tests.benches import ROOT, load_flow
from tests.portal.lines import Line

_, WORDS = load_flow(ROOT / "flows" / "pay-a-bill.yaml")
SUBJECT = {"result_email_subject": "Your payment to {merchant:text}"}


@dataclass
class Goes:
    """Whether texts and e-mails go out."""

    text: bool = True
    email: bool = True


def send_again(line: Line, prompts: Prompts = WORDS, goes: Goes | None = None) -> Line:
    """The line, from which receipts can be sent again."""
    way = goes or Goes()
    words, subject = (
        result_words(lambda _: prompts, "Example Water"),
        result_subject(lambda _: prompts, "Example Water"),
    )
    line.resender = Resender(line.store, lambda _: prompts, words, subject, lambda _number: way.text, lambda: way.email)
    return line


def with_subject() -> Prompts:
    return Prompts(
        {
            language: {**WORDS.texts([language], WORDS.names(language))[language], **SUBJECT}
            for language in WORDS.languages()
        }
    )
