"""What goes wrong around the phone on the page: no sound, no microphone, a cut connection, a night, a second `make run`."""

import time

import httpx
from playwright.sync_api import Browser, Page, WebSocketRoute, expect

from ivr.core.call import Call
from tests.channels.browser.products import Product
from tests.patience import PATIENCE_S

NO_SOUND = """
    delete window.AudioContext; delete window.AudioWorkletNode;
    window.asked = [];
    navigator.mediaDevices.getUserMedia = (what) => { window.asked.push(what); return Promise.reject(new Error("none")); };
"""


def calls(page: Page) -> None:
    page.get_by_label("events").check()
    page.get_by_role("button", name="Call", exact=True).click()
    expect(page.locator("#state")).to_have_text("Asked: language")


def latest_call_over(product: Product) -> Call:
    store = product.store()
    deadline = time.monotonic() + PATIENCE_S
    while (call := store.latest_calls(1)[0].call).phase != "over":
        assert time.monotonic() < deadline, "the call goes on"
        time.sleep(0.1)
    store.close()
    return call


def test_without_loudspeaker_or_microphone_captions_say_everything_and_nobody_asks_for_one(
    chromium: Browser, product: Product
):
    context = chromium.new_context()
    page = context.new_page()
    page.add_init_script(NO_SOUND)
    page.goto(f"{product.page}/")
    calls(page)
    expect(page.locator("#sound")).to_have_text("no sound here: the captions say everything")
    expect(page.locator("#captions")).to_contain_text("For English, press 1.")
    page.locator("[data-key='1']").click()
    expect(page.locator("#state")).to_have_text("Asked: account number")
    expect(page.locator("#counts")).to_have_text("1 sent, 1 heard")
    assert page.evaluate("window.asked") == []
    context.close()


def test_a_connection_that_is_cut_is_told_and_on_record_as_a_hang_up_and_the_page_can_call_again(
    chromium: Browser, product: Product
):
    context = chromium.new_context()
    page = context.new_page()
    cut: list[WebSocketRoute] = []

    def follow(ours: WebSocketRoute) -> None:
        cut.extend([ours, ours.connect_to_server()])

    page.route_web_socket("**/phone", follow)
    page.goto(f"{product.page}/")
    calls(page)
    for end in cut:
        end.close(code=3000)
    expect(page.locator("#lost")).to_have_text(
        "The connection is gone, and with it the call. Press Call to ring again."
    )
    call = latest_call_over(product)
    assert (call.outcome, call.hung_up) == ("unpaid", True)
    calls(page)
    context.close()


def test_a_page_that_was_left_open_overnight_has_no_connection_and_calls_in_the_morning(
    chromium: Browser, product: Product
):
    context = chromium.new_context()
    page = context.new_page()
    sockets: list[object] = []
    page.on("websocket", lambda socket: sockets.append(socket))
    page.clock.install()
    page.goto(f"{product.page}/")
    page.clock.fast_forward("10:00:00")
    page.clock.resume()
    assert sockets == []
    calls(page)
    assert len(sockets) == 1
    context.close()


def test_two_tabs_are_two_telephones(chromium: Browser, product: Product):
    context = chromium.new_context()
    one, other = context.new_page(), context.new_page()
    for page in (one, other):
        page.goto(f"{product.page}/")
        calls(page)
    one.get_by_role("button", name="Hang up").click()
    expect(one.locator("#state")).to_have_text("The card was not charged. You hung up.")
    other.locator("[data-key='1']").click()
    expect(other.locator("#state")).to_have_text("Asked: account number")
    context.close()


def test_a_second_run_says_that_the_line_runs_already_and_leaves_it_alone(product: Product):
    second = product.second_run()
    assert second.returncode == 2
    assert "with CONSOLE_PORT" in second.stderr
    assert "perhaps the line runs already" in second.stderr
    assert "Traceback" not in second.stderr
    assert httpx.get(f"{product.page}/readyz", trust_env=False, timeout=PATIENCE_S).status_code == 200
    assert httpx.get(f"{product.page}/metrics", trust_env=False, timeout=PATIENCE_S).status_code == 200
