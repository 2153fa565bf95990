"""No voice ever gets a card number, however it is written."""

from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pytest

from ivr.core.actions import Phrase
from ivr.errors import FlowError
from ivr.voice import Renderer
from ivr.voice.guard import refuse_card_number
from ivr.words.phrases import Prompts

PANS = ("4111111111111111", "378282246310005", "6011000990139424", "4222222222222", "6304000000000000000")


@pytest.mark.parametrize("pan", PANS)
@pytest.mark.parametrize("separator", ["", " ", ", ", "-", "; "])
def test_a_card_number_is_refused_and_not_repeated(pan: str, separator: str) -> None:
    text = f"You entered {separator.join(pan)}. Thank you."
    with pytest.raises(FlowError) as raised:
        refuse_card_number(text)
    assert not any(digit in str(raised.value) for digit in "0123456789" if digit != "4")


def test_one_hidden_in_a_longer_run_is_refused() -> None:
    with pytest.raises(FlowError):
        refuse_card_number("ref 00004111111111111111")


@pytest.mark.parametrize(
    "text",
    [
        "Your balance is 1,234,567 dollars and 89 cents.",
        "1, 2, 3, 4; 5, 6, 7, 8",
        "4111 1111 1111 1112",
        "press 1. 2. 3.",
    ],
)
def test_amounts_accounts_and_other_numbers_pass(text: str) -> None:
    refuse_card_number(text)


def test_a_phrase_with_a_card_number_is_neither_spoken_nor_kept(prompts: Prompts, tmp_path: Path) -> None:
    class Listener:
        name = "listener"
        said: ClassVar[list[str]] = []

        def speak(self, text: str, language: str) -> tuple[npt.NDArray[np.int16], int]:
            self.said.append(text)
            return np.ones(800, np.int16), 8000

    renderer = Renderer(prompts, tmp_path / "cache", tmp_path / "audio", "espeak", speaking=Listener())
    with pytest.raises(FlowError, match="last4"):
        renderer.clips(Phrase("confirm_account_number", "en-US", (("value", PANS[0]),)))
    assert Listener.said == []
    assert not (tmp_path / "cache").exists()
    renderer.clips(Phrase("confirm_account_number", "en-US", (("value", "12345678"),)))
    assert "eight." in Listener.said
