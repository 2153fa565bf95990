"""After whole calls by webhooks and by SIP no process has a card number in its memory, in any form, and no file has one."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.web.left_behind import (
    OURS,
    Product,
    all_pay_by_sip,
    in_the_middle,
    pays_by_webhooks,
    plant_on_disk,
    running,
)
from tests.web.process_memory import card_number
from tests.web.remains import FORMS, Search

needs_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="reads other processes' memory: sudo .venv/bin/python -m pytest tests/web"
)
CALLS, PLANTED, PLANTED_ON_DISK, MIDDLE = 30, 900_001, 900_002, 13
PAD = b"\x00\x07" * 100


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_a_number_is_found_in_any_form(form):
    pan = card_number(7)
    search = Search([pan, card_number(8)])
    block = PAD + form.of(pan) + PAD
    assert search.in_blocks([block]).numbers == {form.name: {pan}}
    assert search.in_blocks([PAD + form.of(card_number(9)) + PAD]).whole == 0


@pytest.mark.parametrize("between", [" ", "-", ", "])
def test_a_number_is_found_with_something_between_its_digits(between: str):
    pan = card_number(7)
    assert Search([pan]).in_blocks([PAD + between.join(pan).encode() + PAD]).whole == 1


def test_a_piece_of_a_number_is_found_and_so_is_a_form_with_a_code():
    found = Search([card_number(7)]).in_blocks([b"\x00" * 9 + card_number(7)[3:15].encode() + PAD, b"Digits=123&"])
    assert (found.whole, found.pieces.total(), found.codes) == (0, 1, 1)


def is_clean_but_for(plant: str, product: Product, kinds: Sequence[str], search: Search) -> None:
    for kind in kinds:
        for process in product.kinds()[kind]:
            found = search.in_process(process)
            assert (found.numbers.pop("ASCII", set()), found.numbers, found.codes) == ({plant}, {}, 0), kind


@needs_root
@pytest.mark.long  # in the bounded form: web in test_web_memory.py, the forwarder in tests/forwarder/test_charging_memory.py
def test_trunk_media_worker_and_forwarder_keep_no_number_and_what_is_planted_in_each_is_found(tmp_path: Path):
    """The product begins without web, and one call is keyed by events, one by tones, in real time."""
    plant, pans = card_number(PLANTED), [card_number(number) for number in range(2)]
    with running(tmp_path, 20, plant, without=("web", "console")) as product:
        assert asyncio.run(all_pay_by_sip(product, range(2), at_once=2)) == 2
        is_clean_but_for(plant, product, ("trunk", "media worker", "forwarder"), Search([*pans, plant]))
        assert asyncio.run(in_the_middle(product, MIDDLE))


@needs_root
@pytest.mark.long
def test_no_process_and_no_file_keeps_a_number_and_one_that_is_planted_is_found_in_each(tmp_path: Path):
    plant, pans = card_number(PLANTED), [card_number(number) for number in range(CALLS)]
    with running(tmp_path, 2 * CALLS, plant) as product:
        assert all(pays_by_webhooks(product, number) for number in range(CALLS // 2))
        assert asyncio.run(all_pay_by_sip(product, range(CALLS // 2, CALLS), at_once=4)) == CALLS - CALLS // 2
        is_clean_but_for(plant, product, OURS, Search([*pans, plant]))
        on_disk = Search([*pans, card_number(PLANTED_ON_DISK)])
        assert on_disk.in_files(tmp_path).is_none
        plant_on_disk(product, card_number(PLANTED_ON_DISK))
        assert on_disk.in_files(tmp_path).whole == 1
