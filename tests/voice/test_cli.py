"""`python -m ivr prompts`, as a merchant uses it."""

import shutil
import wave
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ivr.errors import ConfigError, FlowError
from ivr.voice import Renderer
from ivr.voice.cli import prompts as command

FOLDER = Path(__file__).parents[2] / "flows" / "prompts"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copied = tmp_path / "prompts"
    copied.mkdir()
    for file in FOLDER.glob("*.yaml"):
        shutil.copy(file, copied)
    return copied


def run(folder: Path, *arguments: str) -> Result:
    places = ["--prompts", str(folder), "--cache", str(folder.parent / "cache")]
    return CliRunner().invoke(command, [arguments[0], *places, *arguments[1:]])


def test_render_says_how_much_is_ready(folder: Path, spoken: Renderer) -> None:
    first, second = run(folder, "render", "-l", "en-US"), run(folder, "render", "-l", "en-US")
    assert "spoken" in first.output
    assert first.exit_code == second.exit_code == 0
    assert list((folder.parent / "cache").rglob("*.ulaw"))


def test_render_as_tones_needs_no_synthesizer(folder: Path) -> None:
    assert "ready" in run(folder, "render", "--voice", "tones").output


def test_missing_tells_the_file_and_the_words_to_read(folder: Path) -> None:
    output = run(folder, "missing", "--language", "es-MX", "--currency", "MXN").output
    assert "goodbye.wav Hasta luego." in output
    assert "pay_full_balance.2.wav para pagarlo, oprima" in output
    assert "numbers/100-and.wav ciento" in output
    assert "units/currency-mxn-other.wav pesos" in output
    assert "receipt_sms" not in output


def test_say_writes_what_is_heard(folder: Path, spoken: Renderer) -> None:
    out = folder.parent / "x.wav"
    result = run(folder, "say", "pay_full_balance", "--set", "due=1.01 USD", "-l", "en-US", "--out", str(out))
    assert "You owe 1 dollar and 1 cent; to pay it, press 1." in result.output
    with wave.open(str(out)) as file:
        assert file.getframerate() == 8000
        assert file.getnframes() > 16_000


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("say", "welcom"), "there is no prompt 'welcom'"),
        (("say", "welcome", "-l", "fr-FR"), "there are no prompts in fr-FR; there are en-US, es-MX"),
        (("say", "confirm_money", "--set", "amount=ten"), "--set amount: expected an amount and a currency"),
        (("say", "confirm_money", "--set", "amount"), "expected a name, '=' and a value"),
        (("say", "welcome", "--voice", "tones", "--out", "/no/such/x.wav"), "cannot write /no/such/x.wav"),
    ],
)
def test_what_is_wrong_is_one_clear_line(folder: Path, arguments: tuple[str, ...], told: str) -> None:
    result = run(folder, *arguments)
    assert isinstance(result.exception, ConfigError)
    assert told in str(result.exception)


def test_broken_prompt_files_are_told_with_their_place(folder: Path) -> None:
    with (folder / "en-US.yaml").open("a") as file:
        file.write('extra: "{due}"\n')
    result = run(folder, "missing")
    assert isinstance(result.exception, FlowError)
    assert "'{due}' is not a slot" in str(result.exception)


def test_a_folder_without_prompts_is_told(tmp_path: Path) -> None:
    assert "no prompts in" in str(run(tmp_path, "missing").exception)


def test_a_recording_that_sounds_like_a_key_is_refused(folder: Path) -> None:
    from dsp import tones

    path = folder / "audio" / "en-US" / "goodbye.wav"
    path.parent.mkdir(parents=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(tones.dtmf("5", tone_ms=300, gap_ms=200).tobytes())
    result = run(folder, "render", "-l", "en-US")
    assert isinstance(result.exception, ConfigError)
    assert "would be heard as the key 5" in str(result.exception)
