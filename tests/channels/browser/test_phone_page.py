"""Whole calls in a real browser, by mouse: paid, with keys as tones; declined; and one that the bank never answers."""

import json
import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.channels.browser.conftest import SHOTS, Watched
from tests.channels.browser.products import Product
from tests.leaks import leaks_in
from tests.patience import PATIENCE_S
from tests.testing.projects import make_project, run_pytest

PAID, DECLINED = "4111111111111111", "4000000000013518"


def card(page: Page, what: str) -> None:
    page.get_by_role("button", name=re.compile(f"^{re.escape(what)}")).first.click()


def pays(page: Page, account: str, what: str, *, as_tones: bool = False) -> None:
    """The account and the card by one click each; what is left is to say yes."""
    page.get_by_label("Language").select_option("1")
    if not as_tones:
        page.get_by_label("events").check()
    card(page, what)
    page.get_by_role("button", name=account).click()
    asked(page, "menu")
    page.locator("[data-key='1']").click()
    asked(page, "confirm")
    page.locator("[data-key='1']").click()


def asked(page: Page, field: str) -> None:
    expect(page.locator("#state")).to_contain_text(f"Asked: {field}")


def ends(page: Page, words: str) -> None:
    expect(page.locator("#state")).to_have_text(words, timeout=PATIENCE_S * 1000)


def saved(page: Page, folder: Path) -> str:
    """The text of the file that "Save as test" downloads."""
    with page.expect_download(timeout=PATIENCE_S * 1000) as download:
        page.get_by_role("button", name="Save as test").click()
        expect(page.locator("#saved")).to_contain_text("put it into the folder calls", timeout=PATIENCE_S * 1000)
    file = folder / download.value.suggested_filename
    download.value.save_as(file)
    return file.read_text(encoding="utf-8")


def received(watched: Watched, kind: str) -> list[dict]:
    return [message for message in map(json.loads, watched.frames) if message["is"] == kind]


def test_a_call_is_paid_by_mouse_with_keys_as_tones_and_everything_is_shown(watched: Watched, product: Product):
    page, began = watched.page, time.monotonic()
    pays(page, "12345678", "approved", as_tones=True)
    asked(page, "repeat")
    paid_s = time.monotonic() - began
    watched.shoot("phone-paid-1300")
    page.screenshot(path=SHOTS / "phone.png")  # as README shows it
    page.locator("[data-key='#']").click()
    ends(page, "The card was charged.")
    expect(page.locator("#money")).to_contain_text("approved: 42.50 USD by visa 1111, confirmation")
    expect(page.locator("#money")).to_contain_text("attempt 1: requested, 42.50 USD")
    expect(page.locator("#seals")).to_have_text("deleted: nothing of the card is kept")
    expect(page.locator("#captions")).to_contain_text("Paid. Confirmation")
    expect(page.locator("#accounts")).to_contain_text("owes 0.00 USD")
    expect(page.locator("#latest tbody tr").first).to_contain_text("42.50 USD")
    assert page.locator("[data-flow] g.took").count() >= 4
    assert page.locator("[data-flow] path.took").count() >= 3
    stopwatch = (
        f"`make run` until the page answers: {product.ready_s:.1f} s; from there to the first call paid: {paid_s:.1f} s"
    )
    (SHOTS / "phone-stopwatch.txt").write_text(f"{stopwatch}\n", encoding="utf-8")
    assert watched.errors == []
    hosts = {re.split(r"[/?]", url)[2] for url in watched.urls if not url.startswith(("data:", "blob:"))}
    assert hosts == {product.page.removeprefix("http://")}


# What is saved is run in the long form: another pytest costs as much as the call. tests/console/test_saving.py replays such files.
@pytest.mark.parametrize("is_run", [False, pytest.param(True, marks=pytest.mark.long)])
def test_a_declined_card_is_told_and_the_call_is_saved_as_a_test_in_its_middle_and_at_its_end(
    watched: Watched, tmp_path: Path, is_run: bool
):
    page = watched.page
    project = make_project(tmp_path / "project")
    pays(page, "23456789", "declined: not sufficient funds")
    expect(page.locator("#money")).to_contain_text("declined: 120.00 USD by visa 3518, code 51")
    asked(page, "card number")
    middle = saved(page, project / "calls")
    page.get_by_role("button", name="Hang up").click()
    ends(page, "The card was not charged. You hung up.")
    watched.shoot("phone-declined")
    end = saved(page, project / "calls")
    assert "bank   declines 51" in end
    assert "  ends   open\n" in middle
    assert "  ends   unpaid\n  payment declined 120.00 USD\n" in end
    assert leaks_in(end.encode(), [DECLINED]) == []
    assert "23456789" not in end
    shown = run_pytest(project) if is_run else "2 passed"
    assert "2 passed" in shown, shown
    assert watched.errors == []


def test_a_bank_that_never_answers_leaves_the_charge_unknown_until_it_is_reversed(watched: Watched):
    page = watched.page
    pays(page, "4567890123", "no answer, nothing charged")
    expect(page.locator("#money")).to_contain_text("attempt 1: unknown, 18.05 USD")
    watched.shoot("phone-unknown")
    expect(page.locator("#money")).to_contain_text("attempt 1: reversed, 18.05 USD", timeout=PATIENCE_S * 1000)
    ends(page, "The card was not charged.")
