"""SIGHUP reads keys again, and stops a process only where its terminal has gone."""

import os
import pty
import queue
import signal
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from ivr.errors import ConfigError
from ivr.hangup import Terminals, on_hangup, reload_or_log
from tests.patience import PATIENCE_S


@pytest.fixture(autouse=True)
def handler() -> Iterator[None]:
    before = signal.getsignal(signal.SIGHUP)
    yield
    signal.signal(signal.SIGHUP, before)


def test_each_signal_reloads_once_and_stops_nothing():
    reloaded: queue.SimpleQueue[str] = queue.SimpleQueue()
    on_hangup(lambda: reloaded.put("reloaded"), lambda: reloaded.put("stopped"))
    for _ in range(3):
        os.kill(os.getpid(), signal.SIGHUP)
        assert reloaded.get(timeout=PATIENCE_S) == "reloaded"
    assert reloaded.empty()


def test_a_terminal_that_has_gone_stops_the_process(monkeypatch: pytest.MonkeyPatch):
    stopped: list[str] = []
    controller, terminal = pty.openpty()
    is_terminal = os.isatty
    monkeypatch.setattr("ivr.hangup.os.isatty", lambda stream: is_terminal(terminal if stream == 0 else controller))
    on_hangup(lambda: stopped.append("reloaded"), lambda: stopped.append("stopped"))
    os.close(controller)
    os.kill(os.getpid(), signal.SIGHUP)
    os.close(terminal)
    assert stopped == ["stopped"]


def test_a_process_without_a_terminal_has_none_to_lose(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ivr.hangup.os.isatty", lambda stream: False)
    assert not Terminals().are_gone()


def test_what_a_reload_raises_is_logged_line_by_line_and_goes_no_further():
    def fails() -> None:
        raise ConfigError("banks.yaml:3: one\nbanks.yaml:9: two")

    def breaks() -> None:
        raise RuntimeError("4111111111111111")

    with capture_logs() as logs:
        reload_or_log(fails)
        reload_or_log(breaks)
    assert [line.get("problem") for line in logs] == ["banks.yaml:3: one", "banks.yaml:9: two", None]
    assert "4111" not in str(logs)
