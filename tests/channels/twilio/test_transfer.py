"""A caller is connected to a person by `<Dial>`, after what is said; Twilio then asks what follows."""

from ivr.channels.twilio.twiml import Writer
from ivr.core.actions import Phrase, Speak, Transfer


def test_the_number_is_dialled_after_the_words():
    writer = Writer(lambda phrase: phrase.name)
    actions = [Speak((Phrase("transferring", "en-US"),)), Transfer("+15550123456")]
    written = writer.answer(actions, "https://pay.example.com/next")
    dialled = '<Dial action="https://pay.example.com/next" method="POST">+15550123456</Dial>'
    assert written.endswith(f"transferring</Say>{dialled}</Response>")
