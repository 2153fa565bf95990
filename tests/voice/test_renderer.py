"""Phrases to clips: spoken, cached, never a key; and flows without speech."""

import subprocess
import sys
from datetime import date, time
from pathlib import Path

import numpy as np
import pytest

from dsp import g711
from dsp.dtmf import decode
from ivr.core.actions import Phrase
from ivr.core.events import Value
from ivr.core.money import Money
from ivr.errors import ConfigError
from ivr.voice import Renderer, read_clip
from ivr.voice.loudness import ACTIVE_DBM0, active_level_dbm0
from ivr.voice.recordings import is_spoken
from ivr.voice.synthesizer import Synthesizer
from ivr.words.phrases import Prompts
from tests.patience import PATIENCE_S

VALUES: tuple[tuple[str, Value], ...] = (
    *(("due", Money(4250)), ("min", Money(500)), ("max", Money(50_000)), ("amount", Money(2175)), ("key", "2")),
    *(
        ("done", "pound"),
        ("clear", "star"),
        ("count", 4),
        ("last4", "1111"),
        ("account_end", "678"),
        ("brand", "amex"),
        ("number", "A12345"),
    ),
    *(("value", "12345678"), ("card_fee", Money(200)), ("before_fee", Money(1975))),
    *(("total", Money(18_705)), ("instalment", Money(1417)), ("last_instalment", Money(1416)), ("instalments", 3)),
    *(("early_amount", Money(4037)), ("saved", Money(213)), ("discount_until", date(2026, 12, 31))),
    *(("by", date(2026, 12, 10)), ("issued", date(2026, 11, 30))),
    *(("opens_on", date(2026, 11, 27)), ("opens_at", time(8))),
)
LANGUAGES = ["en-US", "es-MX"]


def spoken_names(prompts: Prompts, language: str) -> list[str]:
    return sorted(filter(is_spoken, prompts.names(language)))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_prompt_is_spoken_evenly_and_is_no_key(prompts: Prompts, spoken: Renderer, language: str) -> None:
    for name in spoken_names(prompts, language):
        heard = g711.decode(spoken.codes(Phrase(name, language, VALUES)), "ulaw")
        assert len(heard) > 4000, name
        assert abs(active_level_dbm0(heard) - ACTIVE_DBM0) < 2.0, name
        assert [key.key for key in decode(heard, 8000)] == [], name


def test_what_was_rendered_once_is_not_rendered_again(prompts: Prompts, spoken: Renderer, tmp_path: Path) -> None:
    first = Renderer(prompts, tmp_path, tmp_path / "audio", "espeak")
    again = Renderer(prompts, tmp_path, tmp_path / "audio", "espeak")
    fresh = [[one.fresh for one in renderer.ready(["es-MX"])] for renderer in (first, again)]
    assert any(fresh[0])
    assert not any(fresh[1])
    first.close()


def test_after_getting_ready_only_amounts_are_left_to_be_spoken(prompts: Prompts, spoken: Renderer) -> None:
    assert list(spoken.ready(LANGUAGES))
    asked_for: list[str] = []

    class Listener:
        name = Synthesizer.name

        def speak(self, text: str, language: str) -> tuple[np.ndarray[tuple[int], np.dtype[np.int16]], int]:
            asked_for.append(text)
            return np.ones(8000, np.int16), 8000

    late = Renderer(prompts, spoken.clips(Phrase("goodbye", "en-US"))[0].parents[1], Path("none"), speaking=Listener())
    late.clips(Phrase("you_were_charged", "en-US", (("amount", Money(98_765)),)))
    late.clips(Phrase("confirmation_number", "en-US", (("number", "90210"),)))
    assert asked_for == ["nine hundred eighty-seven dollars,", "and sixty-five cents,"]


def test_two_languages_do_not_share_a_clip(spoken: Renderer) -> None:
    visa = [spoken.clips(Phrase("confirm_card", language, VALUES)) for language in LANGUAGES]
    english, spanish = ({path for path in clips if "pause" not in path.name} for clips in visa)
    assert not english & spanish


def test_a_clip_can_be_had_in_a_law(spoken: Renderer) -> None:
    clip = spoken.clips(Phrase("goodbye", "en-US"))[0]
    ulaw, alaw = (g711.decode(read_clip(clip, law), law).astype(int) for law in ("ulaw", "alaw"))
    assert np.abs(ulaw - alaw).max() <= 1024  # one step of the loudest segment


def test_a_synthesizer_that_dies_is_started_again(spoken: Renderer) -> None:
    voice = Synthesizer()
    before, rate = voice.speak("Hello.", "en-US")
    assert voice._process is not None
    voice._process.kill()
    voice._process.wait()
    after, _ = voice.speak("Hello.", "en-US")
    assert rate == 22_050
    assert len(after) == pytest.approx(len(before), rel=0.05)
    voice.close()


def test_a_language_without_a_voice_is_named(spoken: Renderer) -> None:
    voice = Synthesizer()
    with pytest.raises(ConfigError, match="xx-XX cannot be spoken: espeak-ng has no voice called xx-xx or xx"):
        voice.speak("Hello.", "xx-XX")
    voice.close()


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="what a process has loaded is read from /proc")
def test_our_processes_never_load_the_synthesizer(spoken: Renderer) -> None:
    code = (
        "import sys, ivr.voice as v; s = v.synthesizer.Synthesizer(); s.speak('Hello.', 'en-US'); s.close();"
        "assert 'espeakng_loader' not in sys.modules and 'ivr.voice.speaker' not in sys.modules;"
        "assert 'espeak' not in open('/proc/self/maps').read()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=PATIENCE_S, cwd=Path(__file__).parents[2])


@pytest.mark.parametrize("language", LANGUAGES)
def test_tone_prompts_need_no_words_and_are_no_keys(prompts: Prompts, tmp_path: Path, language: str) -> None:
    renderer = Renderer(prompts, tmp_path, tmp_path / "audio", "tones")
    for name in spoken_names(prompts, language):
        heard = g711.decode(renderer.codes(Phrase(name, language, VALUES)), "ulaw")
        assert np.abs(heard.astype(int)).max() > 1000
        assert [key.key for key in decode(heard, 8000)] == []
    assert renderer.clips(Phrase("enter_card_number", language)) != renderer.clips(
        Phrase("card_number_not_valid", language)
    )


def test_all_prompts_one_after_another_as_tones_are_no_keys(prompts: Prompts, tmp_path: Path) -> None:
    renderer = Renderer(prompts, tmp_path, tmp_path / "audio", "tones")
    everything = [renderer.codes(Phrase(name, "en-US")) for name in spoken_names(prompts, "en-US")]
    assert [key.key for key in decode(g711.decode(np.concatenate(everything), "ulaw"), 8000)] == []


def test_an_unknown_voice_is_refused(prompts: Prompts, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no voice 'robot'"):
        Renderer(prompts, tmp_path, tmp_path, "robot")  # type: ignore[arg-type]


def test_a_clip_that_lost_its_content_is_made_again(prompts: Prompts, tmp_path: Path) -> None:
    renderer = Renderer(prompts, tmp_path, tmp_path / "audio", "tones")
    clip = renderer.clips(Phrase("goodbye", "en-US"))[0]
    before = clip.read_bytes()
    clip.write_bytes(b"")
    assert renderer.clips(Phrase("goodbye", "en-US"))[0].read_bytes() == before


def test_a_cache_that_cannot_be_written_is_told(prompts: Prompts, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    renderer = Renderer(prompts, tmp_path / "cache", tmp_path / "audio", "tones")
    with pytest.raises(ConfigError, match="cannot write prompts to"):
        renderer.clips(Phrase("goodbye", "en-US"))
