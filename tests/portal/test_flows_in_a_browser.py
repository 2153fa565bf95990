"""Flows in Debian's chromium: the editor completes, checks while one types and publishes; every page is looked at by axe."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.portal.test_in_a_browser import (
    LOOKS,
    Looks,
    RunningPortal,
    chromium,
    join,
    look_at,
    page,
    running_portal,
    sign_in,
)

__all__ = ["chromium", "page", "running_portal"]
FLOW = "pay-a-bill"


def author(page: Page, running: RunningPortal, name: str) -> str:
    """Signed in as one, with all flows of the folder published; the flow's address."""
    running.command("flows", "publish")
    join(page, running.invite(name, "author"))
    sign_in(page, running, name, page.locator(".codes code").first.inner_text())
    expect(page.get_by_role("heading", name="Payments")).to_be_visible()
    return f"{running.origin}/flows/{FLOW}"


def test_an_author_is_offered_words_sees_problems_at_their_lines_and_publishes(
    running_portal: RunningPortal, page: Page
):
    page.goto(f"{author(page, running_portal, 'barbara')}/draft")
    editor = page.get_by_role("textbox", name=f"{FLOW}.yaml")
    editor.click()
    page.keyboard.press("Control+End")
    page.keyboard.insert_text("  more:\n    ")
    page.keyboard.type("sa", delay=20)
    # Taken with a click: a key within 75 ms of the list's opening is a line break and not a choice.
    page.get_by_role("option", name="say").click()
    expect(editor).to_contain_text(re.compile(r"more:\s+say$"))
    page.keyboard.insert_text(": you_were_not_charged\n    end: unpaid\n")
    findings = page.locator("#findings li")
    expect(findings).to_have_text(re.compile("T305 .*'more'"))
    expect(page.locator(".cm-lint-marker-error")).to_have_count(1)
    findings.get_by_role("link").click()
    expect(page.locator(".cm-focused .cm-activeLine")).to_have_text(re.compile("more:"))
    editor.press("Control+End")
    page.keyboard.insert_text("# see 'more'\n")
    page.get_by_role("button", name="Publish it").click()
    expect(page.get_by_role("alert")).to_contain_text("a draft with 1 problem cannot be published")
    editor.press("Control+End")
    for _ in range(4):
        editor.press("Shift+ArrowUp")
    page.keyboard.insert_text("# nothing more\n")
    expect(page.locator("#checked")).to_contain_text("No problems")
    page.get_by_role("button", name="Publish it").click()
    expect(page.get_by_role("status")).to_contain_text(f"version 2 of {FLOW} is live")


def test_a_draft_is_called_from_its_page_and_paid_with_clicks(running_portal: RunningPortal, page: Page):
    page.goto(f"{author(page, running_portal, 'karen')}/draft")
    page.get_by_label("as events").check()
    page.get_by_text("Test accounts and cards").click()
    page.get_by_role("button", name="approved").first.click()
    page.get_by_role("button", name="account 12345678").click()
    said = page.locator("#captions")
    expect(said).to_contain_text("For English")
    for asked in ("language", "menu", "confirm", "repeat"):
        expect(page.locator("#state")).to_contain_text(f"Asked: {asked}")
        page.locator('[data-key="1"]' if asked != "repeat" else '[data-key="#"]').click()
    expect(page.locator("#state")).to_contain_text("The card was charged.")
    expect(page.locator("#money")).to_contain_text("approved", use_inner_text=False)
    expect(page.locator(".drawing svg")).to_be_attached()
    page.goto(f"{running_portal.origin}/calls")
    expect(page.get_by_text("browser")).to_have_count(0)


@pytest.mark.parametrize(
    ("name", "looks"),
    [("frances", LOOKS[:1]), pytest.param("radia", LOOKS[1:], marks=pytest.mark.long)],
    ids=["narrow", "wide and dark"],
)
def test_axe_finds_nothing_on_the_pages_of_flows(running_portal: RunningPortal, page: Page, name: str, looks: Looks):
    flow = author(page, running_portal, name)
    for address, shot in (
        (f"{running_portal.origin}/flows", "flows"),
        (flow, "flow"),
        (f"{flow}/versions/1", "flow-version"),
        (f"{flow}/diff", "flow-diff"),
        (f"{flow}/draft", "flow-draft"),
    ):
        page.goto(address)
        look_at(page, shot, looks)
