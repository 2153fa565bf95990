"""A merchant's recordings on Twilio: played where they are, with words for the rest; their addresses open nothing else."""

import io
import re
import wave
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np
import pytest

from ivr.errors import PeerError
from ivr.testing.twilio import TwilioCall
from tests.benches import ROOT, make_bench
from tests.test_web import VOICE, next_url
from tests.webs import CALL_ID, Web, make_web

PLAYED = re.compile(r"<Play>(/twilio/audio/[0-9a-f]{32}\.wav)</Play>")


def record(folder: Path, *names: str, pitch_hz: float = 440.0) -> None:
    """Half a second of sound for each name."""
    folder.mkdir(parents=True, exist_ok=True)
    sound = (8000 * np.sin(2 * np.pi * pitch_hz * np.arange(8000) / 16000)).astype("<i2")
    for name in names:
        with wave.open(str(folder / f"{name}.wav"), "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(16000)
            out.writeframes(sound.tobytes())


@pytest.fixture
def audio(tmp_path: Path) -> Path:
    """Of a merchant who has recorded two prompts, and the beginning of a third."""
    record(tmp_path / "prompts" / "audio" / "en-US", "enter_account_number")
    record(tmp_path / "prompts" / "audio" / "en-US", "pay_full_balance.1", pitch_hz=600)
    for language in ("en-US", "es-MX"):
        (tmp_path / "prompts" / f"{language}.yaml").symlink_to(ROOT / "flows" / "prompts" / f"{language}.yaml")
    (tmp_path / "pay-a-bill.yaml").write_bytes((ROOT / "flows" / "pay-a-bill.yaml").read_bytes())
    return tmp_path / "prompts" / "audio" / "en-US"


@pytest.fixture
def ring(sealing_key: Path, audio: Path, tmp_path: Path) -> Callable[[], Web]:
    """The web application, begun anew: with the recordings that are there by then."""
    bench = make_bench(sealing_key, tmp_path / "pay-a-bill.yaml")
    return lambda: make_web(bench, FLOWS=str(tmp_path), VAR=str(tmp_path / "var"))


def asked(web: Web, call: str = CALL_ID) -> str:
    """What is said after the language."""
    return web.post(next_url(web.post(VOICE, {"CallSid": call}).text), {"CallSid": call, "Digits": "1"}).text


def test_what_is_recorded_is_played_and_the_rest_is_said(ring: Callable[[], Web]):
    text = asked(ring())
    assert "Numbers end with" in text
    assert len(PLAYED.findall(text)) == 1
    assert "account number" not in text


def test_recorded_pieces_stand_between_values_that_are_said(ring: Callable[[], Web]):
    web = ring()
    text = asked(web)
    menu = web.post(next_url(text), {"Digits": "12345678", "FinishedOnKey": "#"}).text
    assert re.search(r'</Play><Say language="en-US">42 dollars and 50 cents; to pay it, press 1\.</Say>', menu)


def test_the_file_is_mu_law_of_8_khz(ring: Callable[[], Web]):
    web = ring()
    answer = web.http.get(PLAYED.findall(asked(web))[0])
    assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/wav")
    assert answer.content[:4] == b"RIFF"
    assert int.from_bytes(answer.content[20:22], "little") == 7  # mu-law
    assert int.from_bytes(answer.content[24:28], "little") == 8000
    assert int.from_bytes(answer.content[4:8], "little") == len(answer.content) - 8
    assert 3000 < len(answer.content) < 6000


def test_it_may_be_kept_and_asked_for_in_parts(ring: Callable[[], Web]):
    web = ring()
    url = PLAYED.findall(asked(web))[0]
    whole = web.http.get(url)
    assert "immutable" in whole.headers["cache-control"]
    assert web.http.get(url, headers={"If-None-Match": whole.headers["etag"]}).status_code == 304
    part = web.http.get(url, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole.content[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(whole.content)}"
    assert web.http.get(url, headers={"Range": "bytes=9999999-"}).status_code == 416
    head = web.http.head(url)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(whole.content))


@pytest.mark.parametrize(
    "name",
    [
        "0" * 32,
        "enter_account_number",
        "..%2F..%2Fen-US%2Fenter_account_number",
        "en-US/enter_account_number",
        "%2Fetc%2Fpasswd",
        "A" * 32,
    ],
)
def test_no_other_name_opens_anything(ring: Callable[[], Web], name: str):
    web = ring()
    asked(web)
    assert web.http.get(f"/twilio/audio/{name}.wav").status_code == 404


def test_nothing_else_is_open_for_it(ring: Callable[[], Web]):
    web = ring()
    url = PLAYED.findall(asked(web))[0]
    assert web.http.post(url).status_code == 405
    assert web.http.post(VOICE, content=b"CallSid=CA1").status_code == 403


def test_another_token_names_the_same_file_otherwise(ring: Callable[[], Web], sealing_key: Path, tmp_path: Path):
    url = PLAYED.findall(asked(ring()))[0]
    bench = make_bench(sealing_key, tmp_path / "pay-a-bill.yaml")
    other = make_web(bench, FLOWS=str(tmp_path), VAR=str(tmp_path / "var"), TWILIO_AUTH_TOKEN="f" * 32)
    assert other.http.get(url).status_code == 404


def test_another_process_knows_the_name_too_and_a_new_take_has_a_new_one(ring: Callable[[], Web], audio: Path):
    before = PLAYED.findall(asked(ring()))[0]
    assert ring().http.get(before).status_code == 200
    record(audio, "enter_account_number", pitch_hz=880)
    after = PLAYED.findall(asked(ring(), f"{CALL_ID[:-1]}2"))[0]
    assert after != before


def test_a_recording_that_cannot_be_read_is_said(ring: Callable[[], Web], audio: Path):
    (audio / "enter_account_number.wav").write_bytes(b"RIFF, but no more")
    text = asked(ring())
    assert "Enter your account number." in text
    assert not PLAYED.findall(text)


def test_the_offline_twilio_fetches_what_it_plays(ring: Callable[[], Web]):
    web = ring()
    line: TwilioCall = web.line()
    line.begin()
    heard = [one.words for one in line.press("1").heard]
    assert re.fullmatch(r"\[/twilio/audio/[0-9a-f]{32}\.wav\]", heard[-1])


def test_the_offline_twilio_tells_what_cannot_be_played(ring: Callable[[], Web]):
    web = ring()
    line = web.line()
    line.begin()
    real = web.http.get
    web.http.get = lambda url, **more: httpx.Response(404, text="gone")  # type: ignore[method-assign]
    with pytest.raises(PeerError, match="11200"):
        line.press("1")
    web.http.get = real  # type: ignore[method-assign]


def test_a_wav_file_of_the_tones_is_read_by_others_too(ring: Callable[[], Web]):
    tone = ring().http.get("/twilio/tones/ready.wav")
    with wave.open(io.BytesIO(tone.content)) as read:
        assert read.getframerate() == 8000
