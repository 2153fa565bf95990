"""The portal with a telephone to try drafts on: a bank simulator and stores in memory, in the portal's own process.

Nothing real is near it: bills are the test accounts that ship, texts and e-mails are kept and not sent, nobody is rung.
"""

import atexit
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from flask import Flask

import ivr.console
from ivr.bank import Bank
from ivr.channels.browser import AnsweringLine, DraftLine, DraftPhone
from ivr.channels.simulator import Clock
from ivr.cli.workbench import build_workbench, simulated_bank
from ivr.console import TestAccount, cards_to_try
from ivr.flow.compiled import Flow
from ivr.places import SHIPPED
from ivr.portal import create_portal, site_of
from ivr.settings import Settings, load_settings
from ivr.store import read_bills
from ivr.words.phrases import Prompts

MOST_ACCOUNTS = 8
ACCOUNTS = SHIPPED / "config" / "accounts.csv"


class WallClock(Clock):
    """The time of the machine, where a simulated call's is moved by hand."""

    def __call__(self) -> datetime:
        return datetime.now(UTC)


class DraftLines:
    """Called for each call. The bank is started by the first of them, and ends with the process."""

    def __init__(self) -> None:
        self._lock, self._stack = threading.Lock(), ExitStack()
        self._bank: tuple[Path, Bank] | None = None

    def __call__(self, flow: Flow, prompts: Prompts) -> DraftLine:
        sealing_key, bank = self._simulated()
        bench = build_workbench(flow, prompts, sealing_key, bank, ACCOUNTS, WallClock())
        return DraftLine(AnsweringLine(bench.runner, bench.store, prompts, prompts.words), bench.work)

    def _simulated(self) -> tuple[Path, Bank]:
        with self._lock:
            if self._bank is None:
                folder = self._stack.enter_context(TemporaryDirectory(prefix="tonetill-"))
                self._bank = self._stack.enter_context(simulated_bank(Path(folder)))
                atexit.register(self.close)
            return self._bank

    def close(self) -> None:
        self._stack.close()


def create_portal_and_phone() -> tuple[Flask, DraftPhone]:
    """Both of the portal's listener, as its server makes them."""
    settings = load_settings()
    phone = draft_phone(settings)
    return create_portal(settings, phone), phone


def draft_phone(settings: Settings) -> DraftPhone:
    return DraftPhone(
        site_of(settings).origin,
        settings.trunk_voice,
        settings.var / "voice",
        settings.flows / "prompts" / "audio",
        DraftLines(),
        Path(ivr.console.__file__).parent / "static",
        choices(),
    )


def choices() -> list[tuple[str, str, Mapping[str, str]]]:
    """The test accounts and test cards of the telephone on the console's page."""
    accounts = [TestAccount(one.account, f"owes {one.due}") for one in read_bills(ACCOUNTS)]
    return [
        *(("account " + one.number, one.owes, one.answers) for one in accounts[:MOST_ACCOUNTS]),
        *((one.what, one.shown, one.answers) for one in cards_to_try()),
    ]
