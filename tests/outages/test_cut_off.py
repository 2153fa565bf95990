"""The line between forwarder and bank is cut, at each point of an exchange, or slowed; the bank's books and ours agree afterwards."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bank_process import BankKeys, bank_keys
from tests.kill.judge import Verdict
from tests.kill.planted import PLANTED
from tests.outages.relay import CUTS, Line
from tests.outages.sites import OURS, SERVED, Site, site
from tests.outages.trouble import Turn, new_case, ring
from tests.store.databases import empty_sqlite, sqlite_url

__all__ = ["bank_keys", "empty_sqlite", "sqlite_url"]
HEALED_AT = 4  # this turn of the forwarder finds the line open again; 0 is after the call


# A host's connection is kept by a thread of its own, which pauses before each new one, by a real clock.
SLOWLY = [pytest.param(one, marks=pytest.mark.long) if one[0] == "iso8583" else one for one in SERVED]


@pytest.fixture(params=SLOWLY, ids=" ".join)
def place(request: pytest.FixtureRequest, sqlite_url: str, bank_keys: BankKeys, tmp_path: Path) -> Iterator[Site]:
    with site(sqlite_url, *request.param, bank_keys, tmp_path) as made:
        yield made


@pytest.fixture
def ours(sqlite_url: str, bank_keys: BankKeys, tmp_path: Path) -> Iterator[Site]:
    with site(sqlite_url, *OURS, bank_keys, tmp_path) as made:
        yield made


def cut_as(place: Site, line: Line, healed_at: int = HEALED_AT) -> Turn:
    def turn(number: int) -> None:
        place.line.line = line if 0 < number < healed_at else "open"

    return turn


def statuses(place: Site, verdict: Verdict, call: str) -> list[str]:
    assert verdict.is_clean, verdict
    return [one.status for one in place.world.store.payments_of(call)]


def test_cut_anywhere_in_an_exchange_and_healed_a_charge_is_made_once_and_its_caller_told(place: Site):
    for number, line in enumerate(CUTS):
        for manner in ("waits", "hangs up"):
            place.warm()
            case = new_case(2 * number + (manner == "waits"), manner)
            found = statuses(place, ring(place.world, case, cut_as(place, line)), case.call)
            # A bank that had the request is never asked for another; one that had none is asked, or the charge is undone.
            assert found in (["approved"], ["reversed"]), (line, manner)


def test_where_nothing_has_left_the_same_charge_goes_when_the_line_is_back(ours: Site):
    ours.line.refuse()
    case = new_case(1)
    assert statuses(ours, ring(ours.world, case, cut_as(ours, "refuses")), case.call) == ["approved"]
    assert ours.world.store.entries(f"{case.call}-1") == ["requested", "approved"]


def test_a_line_that_stays_away_ends_as_not_sent_and_the_caller_is_told_that_nothing_was_charged(ours: Site):
    ours.line.refuse()
    case = new_case(1)
    assert statuses(ours, ring(ours.world, case, cut_as(ours, "refuses", healed_at=1000)), case.call) == ["not_sent"]
    assert ours.world.store.entries(f"{case.call}-1") == ["requested", "not_sent"]


def test_a_slow_line_is_waited_for_and_a_silent_one_is_not(ours: Site):
    ours.warm()
    slow, silent = new_case(1), new_case(2)
    assert statuses(ours, ring(ours.world, slow, cut_as(ours, "slow")), slow.call) == ["approved"]
    assert ours.world.store.entries(f"{slow.call}-1") == ["requested", "approved"]
    verdict = ring(ours.world, silent, cut_as(ours, "silent", healed_at=2))
    assert statuses(ours, verdict, silent.call)[0] in ("approved", "reversed")
    assert "unknown" in ours.world.store.entries(f"{silent.call}-1")


@pytest.mark.parametrize("mistake", ["takes silence for a refusal", "calls undone what is not"])
def test_a_forwarder_that_believes_a_broken_line_is_found(ours: Site, monkeypatch: pytest.MonkeyPatch, mistake: str):
    client = ours.world.place.client
    ours.warm()
    wrong = PLANTED[mistake](client)
    inquire, reverse = wrong.inquire, wrong.reverse
    monkeypatch.setattr(client, "inquire", inquire)
    monkeypatch.setattr(client, "reverse", reverse)
    assert ring(ours.world, new_case(1), cut_as(ours, "answer lost", healed_at=2)).lost


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2))
def test_a_line_in_bad_weather_costs_nobody_anything(place: Site, seed: int):
    """The line changes at every turn, by chance."""
    weather = random.Random(seed)
    for number in range(40):
        if weather.random() < 0.7:
            place.line.line = "open"
            place.warm()

        def turn(turn: int, most: int = weather.randrange(1, 8)) -> None:
            place.line.line = weather.choice(CUTS) if 0 < turn < most else "open"

        case = new_case(number, weather.choice(("waits", "hangs up")))
        assert (verdict := ring(place.world, case, turn)).is_clean, (seed, number, verdict)
