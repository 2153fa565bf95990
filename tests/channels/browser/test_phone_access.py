"""The page for everybody: axe-core, keyboard alone, narrow and wide, light and dark, without JavaScript, a bad line."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.channels.browser.conftest import Watched
from tests.channels.browser.products import Product

# Each width and each scheme once; the other two pairs in the long form.
LOOKS = ((390, "dark"), (1300, "light"))
OTHER_LOOKS = ((390, "light"), (1300, "dark"))
Looks = tuple[tuple[int, str], ...]


def looks(page: Page, chosen: Looks) -> Iterator[str]:
    """The page in each of these widths and schemes, by its name."""
    for width, scheme in chosen:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"cut off at {width} pixels"
        yield f"{width}-{scheme}"


def violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['target']} {one['help']}" for one in found]


def calls(page: Page) -> None:
    """As events: what tones show is shown elsewhere."""
    page.get_by_label("events").check()
    page.get_by_role("button", name="Call", exact=True).click()
    expect(page.locator("#state")).to_have_text("Asked: language")


@pytest.mark.parametrize("chosen", [LOOKS, pytest.param(OTHER_LOOKS, marks=pytest.mark.long)], ids=["some", "others"])
def test_axe_finds_nothing_before_and_in_a_call_and_nothing_is_cut_off(watched: Watched, chosen: Looks):
    page = watched.page
    assert {look: violations(page) for look in looks(page, chosen)} == {
        f"{width}-{scheme}": [] for width, scheme in chosen
    }
    calls(page)
    page.locator("[data-key='1']").click()
    expect(page.locator("#state")).to_have_text("Asked: account number")
    expect(page.locator("#captions li").first).to_be_visible()
    for look in looks(page, chosen):
        assert (look, violations(page)) == (look, [])
        watched.shoot(f"phone-{look}")


def test_a_call_needs_no_mouse(watched: Watched):
    page = watched.page
    page.locator("#ani").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#state")).to_have_text("Asked: language")
    page.locator("body").press("1")
    expect(page.locator("#state")).to_have_text("Asked: account number")
    hang_up = page.get_by_role("button", name="Hang up")
    for _ in range(20):
        page.keyboard.press("Tab")
        if hang_up.evaluate("one => one === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(page.locator("#state")).to_have_text("The card was not charged. You hung up.")


def test_the_list_of_calls_leads_to_a_calls_trace_and_to_where_callers_stop(watched: Watched, product: Product):
    page = watched.page
    calls(page)
    page.get_by_role("button", name="Hang up").click()
    expect(page.locator("#state")).to_have_text("The card was not charged. You hung up.")
    page.locator("#latest tbody a").first.click()
    expect(page.get_by_role("heading", name="A call of ...142")).to_be_visible()
    expect(page.locator("tbody tr").last).to_contain_text("hung up")
    assert violations(page) == []
    watched.shoot("call-trace")
    page.goto(f"{product.page}/")
    page.get_by_role("link", name="Where callers stop").click()
    expect(page.get_by_role("row", name="before the first step")).to_be_visible()
    page.get_by_role("link", name="all calls", exact=True).click()
    expect(page.get_by_role("link", name="all calls", exact=True)).to_have_attribute("aria-current", "page")
    for look in looks(page, LOOKS):
        assert (look, violations(page)) == (look, [])
        watched.shoot(f"drop-off-{look}")
    assert watched.errors == []


def test_noise_on_the_line_is_turned_up_until_the_decoder_fails(watched: Watched):
    page = watched.page
    page.get_by_role("button", name="Call", exact=True).click()
    expect(page.locator("#state")).to_have_text("Asked: language")
    page.locator("#noise").fill("10")
    expect(page.locator("#noise-words")).to_have_text("tones 20 dB over the noise")
    page.locator("[data-key='1']").click()
    expect(page.locator("#heard-tone")).to_contain_text("1,")
    expect(page.locator("#sent-tone")).to_have_text("1 = 697 Hz + 1209 Hz")
    expect(page.locator("#state")).to_have_text("Asked: account number")
    page.locator("#noise").fill("45")
    expect(page.locator("#noise-words")).to_have_text("tones 15 dB under the noise")
    for key in "23456789":
        page.locator(f"[data-key='{key}']").click()
    page.locator("#noise").fill("0")
    page.locator("[data-key='*']").click()  # clears what little was heard
    expect(page.locator("#heard-tone")).to_contain_text("*,")
    sent, heard = page.locator("#counts").inner_text().replace(" sent", "").replace(" heard", "").split(", ")
    assert int(sent) == 10
    assert int(heard) < 10


def test_a_page_without_javascript_says_so_and_what_else_there_is(chromium: Browser, product: Product):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{product.page}/")
    told = page.locator("noscript p")  # Playwright's texts leave such an element out
    expect(told).to_be_visible()
    assert "The phone needs JavaScript" in told.inner_text()
    assert "python -m ivr simulate flows/pay-a-bill.yaml" in told.inner_text()
    expect(page.locator("#phone")).to_be_hidden()
    context.close()
