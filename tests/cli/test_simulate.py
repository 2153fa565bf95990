"""`simulate` shows neither a card's number nor its code, whatever it was typed at."""

import httpx
import pytest

from ivr.channels.simulator import HeardPrompt, LineReply, converse
from ivr.cli import simulate
from ivr.testing.twilio import Application, TwilioCall

PAN = "4012888888881881"


class Scripted:
    """A line that asks as a call does, and notes what was pressed."""

    def __init__(self, *asks: bool) -> None:
        self.asks, self.pressed = list(asks), []

    def begin(self) -> LineReply:
        return self.next()

    def next(self) -> LineReply:
        return (
            LineReply([HeardPrompt("", "?")], "keys", sensitive=self.asks.pop(0))
            if self.asks
            else LineReply((), "over")
        )

    def press(self, keys: str) -> LineReply:
        self.pressed.append(keys)
        return self.next()

    def stay_silent(self) -> LineReply:
        return self.next()

    def wait(self) -> LineReply:
        return self.next()

    def hang_up(self) -> None:
        self.asks.clear()


def shown(line: Scripted, keys: str, capsys: pytest.CaptureFixture[str]) -> str:
    converse(line, simulate.console, simulate.scripted(keys))
    return capsys.readouterr().out


def test_keys_of_a_card_are_dots(capsys: pytest.CaptureFixture[str]):
    line = Scripted(False, True, True, True, False)
    text = shown(line, f"12345678# {PAN}# 1230 739 1", capsys)
    assert line.pressed == ["12345678#", f"{PAN}#", "1230", "739", "1"]
    assert "12345678#" in text
    assert "••••••••••••••••#" in text
    assert not any(secret in text for secret in (PAN, PAN[-4:], "1230", "739"))


@pytest.mark.parametrize("keys", [PAN, f"{PAN}#", f"12*{PAN}#", f"{PAN}1230739"])
def test_a_card_number_at_another_question_is_dots_too(keys: str, capsys: pytest.CaptureFixture[str]):
    assert PAN[6:-4] not in shown(Scripted(False), keys, capsys)


def test_through_webhooks_no_key_is_shown():
    """TwiML does not say which question is the card's."""
    twiml = '<Response><Gather action="/x" numDigits="3"/></Response>'
    answer = httpx.MockTransport(lambda _request: httpx.Response(200, text=twiml, headers={"Content-Type": "text/xml"}))
    http = httpx.Client(transport=answer)
    line = TwilioCall(Application(http, "https://pay.example.com/twilio/voice/pay-a-bill", "0" * 32))
    assert line.begin().sensitive


def test_what_stands_for_no_key_is_shown(capsys: pytest.CaptureFixture[str]):
    assert "keys> -" in shown(Scripted(True, True), "-", capsys)
