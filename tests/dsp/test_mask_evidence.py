"""The parts of the masker beside ten-line plain ones, and what a voice may and may not do to them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsp import tones
from dsp.mask.decision import (
    ABOVE_DB,
    ALERT_DB,
    ALERT_HOPS,
    BACKGROUND,
    CERTAIN_DB,
    CERTAIN_HOPS,
    DOUBT_DB,
    HELD_AFTER,
    HOLD_HOPS,
    KEEP_DB,
    TAIL_HOPS,
    TRIGGER_DB,
    Decision,
)  # fmt: skip
from dsp.mask.evidence import COLUMN, NO_EVIDENCE_DB, UPPER, WHOLE, Evidence
from dsp.mask.hearing import FRAME, HOP, HOPS, PAST, Hearing, HopEvidence


def plain_evidence(samples):
    """Evidence of one window by a fine search of sinusoids; no fines, for tones within 2 % and 8 dB of twist."""
    window = np.hanning(len(samples) + 2)[1:-1]
    time = 2j * np.pi * np.arange(len(samples)) / 8000
    power = lambda hz: abs(np.sum(samples * window * np.exp(-time * hz))) ** 2  # noqa: E731
    gain = window.sum() ** 2 / (window**2).sum() / 2
    row = max(power(hz) for hz in np.arange(660, 985, 2.5)) / gain
    column = max(power(hz) for hz in np.arange(1160, 1700, 2.5)) / gain
    step = 4000 / len(samples)
    within = lambda low, high: sum(power(hz) for hz in np.arange(low, high + 1, step)) / len(samples)  # noqa: E731
    parts = ((WHOLE, row + column, (100, 1800)), (UPPER, row + column, (600, 1800)), (COLUMN, column, (1100, 1775)))
    return sum(weight * 10 * np.log10(part / within(*band)) for weight, part, band in parts)


@pytest.mark.parametrize("length", [160, 80])
@pytest.mark.parametrize("snr_db", [3, 10, 30])
def test_evidence_agrees_with_a_plain_search(length, snr_db):
    rng = np.random.default_rng(length + snr_db)
    keys = rng.choice(list(tones.KEYPAD), 12)
    windows = np.stack([tones.dtmf(k, tone_ms=length / 8, gap_ms=0, snr_db=snr_db, rng=rng) for k in keys])
    scores = Evidence(length)(windows.astype(np.float32))
    expected = [plain_evidence(window.astype(float)) for window in windows]
    within = {160: 0.7, 80: 1.2}[length]
    assert np.abs(scores - expected).max() < within


@pytest.mark.parametrize("key", tones.KEYPAD)
def test_a_clean_key_scores_0_and_its_halves_nothing(key):
    row, column = tones.frequencies(key)[0]
    both = tones.dtmf(key, tone_ms=20, gap_ms=0).astype(np.float32)
    halves = np.stack([tones.sine(row, -10, 160), tones.sine(column, -10, 160)]).astype(np.float32)
    assert abs(Evidence(160)(both[None])[0]) < 0.5
    assert (Evidence(160)(halves) < -30).all()


def test_a_key_below_the_floor_is_no_evidence_and_one_above_it_is():
    quiet, loud = (
        tones.dtmf("5", tone_ms=20, gap_ms=0, level_dbm0=level)[None].astype(np.float32) for level in (-52, -40)
    )
    assert Evidence(160)(quiet)[0] == NO_EVIDENCE_DB
    assert Evidence(160)(loud)[0] > TRIGGER_DB[0]


@pytest.mark.parametrize("hz", [400.0, 1020.0, 2600.0])
def test_single_tones_and_the_beep_itself_do_not_trigger(hz):
    tone = tones.sine(hz, -10, PAST + 8 * FRAME)[None].astype(np.float32)
    assert (Hearing()(tone).evidence[0, 8:] < np.array(TRIGGER_DB)).all()


@pytest.mark.parametrize("name", sorted(tones.EARCONS))
def test_prompt_tones_do_not_trigger(name):
    prompt = tones.earcon(name).astype(np.float32)
    prompt = np.pad(prompt, (PAST, -len(prompt) % HOP))[None]
    assert (Hearing()(prompt).evidence < np.array(TRIGGER_DB)).all()


def test_hearing_skips_only_what_has_no_evidence():
    rng = np.random.default_rng(4)
    line = np.stack([tones.dtmf("19", level_dbm0=-30, snr_db=10, rng=rng), rng.normal(0, 3, 2560)]).astype(np.float32)
    heard = Hearing()(line).evidence
    for hop in range(heard.shape[1]):
        window = line[:, hop * HOP : hop * HOP + 160]
        assert np.allclose(heard[:, hop, 0], Evidence(160)(window), atol=1e-3)
        assert np.allclose(heard[:, hop, 1], Evidence(80)(window[:, 80:]), atol=1e-3)


def plain_decision(heard):
    """The verdicts on one channel hop by hop, then frame by frame, with the future at hand."""
    strong, suspected, doubtful = [], [], []
    certain_at = held_at = lost_at = None
    for now, (long, short, level) in enumerate(heard):
        past = lambda hops, now=now: heard[max(now - hops + 1, 0) : now + 1]  # noqa: E731
        if now + 1 >= CERTAIN_HOPS and all(e[0] > CERTAIN_DB for e in past(CERTAIN_HOPS)):
            certain_at = now
        alert = certain_at is not None and now - certain_at < ALERT_HOPS
        limits = (min(ALERT_DB[0], TRIGGER_DB[0]), min(ALERT_DB[1], TRIGGER_DB[1])) if alert else TRIGGER_DB
        strong.append(long > limits[0] or short > limits[1])
        if now + 1 >= HELD_AFTER and all(strong[-HELD_AFTER:]):
            held_at = now
        if not any(e[0] > KEEP_DB[0] or e[1] > KEEP_DB[1] for e in past(HOLD_HOPS)):
            lost_at = now
        held = held_at is not None and (lost_at is None or held_at > lost_at)
        begun = [frame[-1][2] for frame in framed(heard[: now // HOPS * HOPS])]
        background = min(([0.0] * BACKGROUND + begun)[-BACKGROUND:])
        doubtful.append((long > DOUBT_DB[0] or short > DOUBT_DB[1]) and level > background + ABOVE_DB)
        suspected.append(strong[-1] or held)
    return widened(suspected), widened(doubtful)


def framed(hops):
    return [hops[at : at + HOPS] for at in range(0, len(hops), HOPS)]


def widened(hops):
    frames = framed(hops)
    tails = [False, *(any(frame[-TAIL_HOPS:]) for frame in frames[:-1])]
    following = [*(any(frame) for frame in frames[1:]), False]
    return [any(frame) or tail or later for frame, tail, later in zip(frames, tails, following, strict=True)]


def as_heard(hops):
    """[(long, short, level)] of one channel as the decision takes it."""
    both = np.array(hops, np.float32).reshape(1, -1, 3)
    return HopEvidence(both[..., :2], both[..., 2])


def nothing(hops):
    return as_heard([(NO_EVIDENCE_DB, NO_EVIDENCE_DB, 0.0)] * hops)


EVIDENCE = st.sampled_from([-99.0, -17.0, -13.0, -11.0, -9.0, -7.0, -5.0, -3.9, -2.0, 0.0])
LEVELS = st.sampled_from([0.0, 40.0, 44.0, 50.0])


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.tuples(EVIDENCE, EVIDENCE, LEVELS), min_size=4, max_size=120), st.integers(1, 5), st.integers(0, 100)
)
def test_the_decision_agrees_with_a_plain_one_however_it_is_cut(hops, piece, loud_before):
    hops = [(NO_EVIDENCE_DB, NO_EVIDENCE_DB, 45.0)] * (loud_before * HOPS) + hops[: len(hops) // HOPS * HOPS]
    decision = Decision(1)
    step = piece * HOPS
    cut = [decision(as_heard(hops[at : at + step])) for at in range(0, len(hops), step)]
    beep, veil = (np.concatenate(flags, axis=1)[0, 1:] for flags in zip(*cut, decision(nothing(HOPS)), strict=True))
    assert (beep.tolist(), veil.tolist()) == plain_decision(hops)


def test_a_certain_key_makes_the_masker_look_harder_for_the_next():
    weak = nothing(HOPS)
    weak.evidence[0, 1, 0] = ALERT_DB[0] + 1
    fresh, warned = Decision(1), Decision(1)
    warned(as_heard([(CERTAIN_DB + 1, CERTAIN_DB + 1, 50.0)] * 2 * HOPS))
    for decision, beeps in ((fresh, False), (warned, True)):
        decision(nothing(20 * HOPS))
        assert decision(weak).beep[0, 0] == beeps
    warned(nothing(ALERT_HOPS))
    assert not warned(weak).beep[0, 0]


def test_what_never_stands_out_of_the_background_is_not_veiled():
    doubtful = (DOUBT_DB[0] + 1, NO_EVIDENCE_DB)
    steady = Decision(1)(as_heard([(*doubtful, 50.0)] * (2 * BACKGROUND * HOPS))).veil[0]
    assert steady[: BACKGROUND - 1].all()
    assert not steady[BACKGROUND + 2 :].any()
    louder = [(*doubtful, 50.0)] * (BACKGROUND * HOPS) + [(*doubtful, 50.0 + ABOVE_DB + 1)] * HOPS
    assert Decision(1)(as_heard(louder)).veil[0, -1]
