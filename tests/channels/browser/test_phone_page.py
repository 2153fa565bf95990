"""Whole calls in a real browser, by mouse, keys as tones: paid, declined, and one that the bank never answers."""

import json
import re
import time

from playwright.sync_api import Page, expect

from tests.channels.browser.conftest import SHOTS, Watched
from tests.channels.browser.products import Product
from tests.patience import PATIENCE_S

PAID, DECLINED = "4111111111111111", "4000000000013518"


def card(page: Page, what: str) -> None:
    page.get_by_role("button", name=re.compile(f"^{re.escape(what)}")).first.click()


def pays(page: Page, account: str, what: str) -> None:
    """The account and the card by one click each; what is left is to say yes."""
    page.get_by_label("Language").select_option("1")
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


def received(watched: Watched, kind: str) -> list[dict]:
    return [message for message in map(json.loads, watched.frames) if message["is"] == kind]


def test_a_call_is_paid_by_mouse_with_keys_as_tones_and_everything_is_shown(watched: Watched, product: Product):
    page, began = watched.page, time.monotonic()
    pays(page, "12345678", "approved")
    asked(page, "repeat")
    paid_s = time.monotonic() - began
    watched.shoot("phone-paid-1300")
    page.screenshot(path=SHOTS / "phone.png")  # as README shows it
    page.locator("[data-key='#']").click()
    ends(page, "The card was charged.")
    expect(page.locator("#money")).to_contain_text("approved: 42.50 USD by visa 1111, confirmation")
    expect(page.locator("#money")).to_contain_text("attempt 1: requested, 42.50 USD")
    expect(page.locator("#seals")).to_have_text("deleted: nothing of the card is kept")
    expect(page.locator("#captions")).to_contain_text("You paid 42 dollars and 50 cents.")
    expect(page.locator("#accounts")).to_contain_text("owes 0.00 USD")
    expect(page.locator("#latest tbody tr").first).to_contain_text("42.50 USD")
    assert page.locator("[data-flow] g.took").count() >= 4
    assert page.locator("[data-flow] path.took").count() >= 3
    stopwatch = (
        f"`make run` until the page answers: {product.ready_s:.1f} s; from there to the first call paid: {paid_s:.1f} s"
    )
    (SHOTS / "phone-stopwatch.txt").write_text(f"{stopwatch}\n", encoding="utf-8")
    assert watched.errors == []
    hosts = {re.split(r"[/?]", url)[2] for url in watched.urls if not url.startswith("data:")}
    assert hosts == {product.page.removeprefix("http://")}


def test_a_declined_card_is_told_and_nothing_is_charged(watched: Watched):
    page = watched.page
    pays(page, "23456789", "declined: not sufficient funds")
    expect(page.locator("#money")).to_contain_text("declined: 120.00 USD by visa 3518, code 51")
    asked(page, "card number")
    page.get_by_role("button", name="Hang up").click()
    ends(page, "The card was not charged. You hung up.")
    watched.shoot("phone-declined")


def test_a_bank_that_never_answers_leaves_the_charge_unknown_until_it_is_reversed(watched: Watched):
    page = watched.page
    pays(page, "4567890123", "no answer, nothing charged")
    expect(page.locator("#money")).to_contain_text("attempt 1: unknown, 18.05 USD")
    watched.shoot("phone-unknown")
    expect(page.locator("#money")).to_contain_text("attempt 1: reversed, 18.05 USD", timeout=PATIENCE_S * 1000)
    ends(page, "The card was not charged.")
