"""A flow that asks for tones is spoken by no word: Twilio plays earcons instead."""

import io
import wave
from pathlib import Path

import pytest

from tests.benches import ROOT, make_bench
from tests.test_web import VOICE, next_url
from tests.webs import Web, make_web


@pytest.fixture
def web(sealing_key: Path, tmp_path: Path) -> Web:
    flow = tmp_path / "pay-a-bill.yaml"
    written = (ROOT / "tests" / "flows" / "sample" / "pay-a-bill.yaml").read_text(encoding="utf-8")
    flow.write_text(written.replace("keys: {", "voice: tones\nkeys: {"), encoding="utf-8")
    (tmp_path / "prompts").symlink_to(ROOT / "flows" / "prompts")
    return make_web(make_bench(sealing_key, flow))


def test_prompts_are_played_as_tones_and_no_word_is_said(web: Web):
    first = web.post(VOICE, {})
    account = web.post(next_url(first.text), {"Digits": "1"})
    for answer in (first, account):
        assert "<Say" not in answer.text
        assert "<Play>/twilio/tones/" in answer.text


def test_the_tones_are_short_wav_files(web: Web):
    answer = web.http.get("/twilio/tones/ready.wav")
    assert answer.headers["content-type"] == "audio/wav"
    with wave.open(io.BytesIO(answer.content)) as tone:
        assert (tone.getnchannels(), tone.getframerate()) == (1, 8000)
        assert 0 < tone.getnframes() < 16000


def test_there_is_no_other_file(web: Web):
    assert web.http.get("/twilio/tones/..%2Fbanks.wav").status_code == 404
