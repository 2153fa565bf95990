"""The pytest plugin: calls/*.txt of a project are tests, and `line` places calls from Python.

pytest imports this in every run of every project that has the package installed, so what is heavy is imported when a call
file or the fixture is met, not before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ivr.testing.stashed import PROJECT, project_of

if TYPE_CHECKING:
    from ivr.testing.call_files import CallFile
    from ivr.testing.line import MerchantLine
    from ivr.testing.twilio import TwilioCall

INI = {
    "tonetill_calls": ("folder of call files, from the project's root", "calls"),
    "tonetill_flows": ("folder of flows, with the folder `prompts` in it", "flows"),
    "tonetill_accounts": ("CSV file of what accounts owe", "config/accounts.csv"),
}


def pytest_addoption(parser: pytest.Parser) -> None:
    for name, (meaning, default) in INI.items():
        parser.addini(name, f"tonetill: {meaning} (default: {default})", default=default)
    group = parser.getgroup("tonetill", "payment calls")
    group.addoption(
        "--call-channel",
        choices=("core", "webhooks", "sip"),
        default="core",
        help="how calls reach the engine: in-process, through signed webhooks over the web application, or as SIP calls "
        "with RTP to a trunk on loopback",
    )
    group.addoption(
        "--call-keys",
        choices=("events", "tones"),
        default="events",
        help="over SIP: how the telephone sends keys, as RFC 4733 events or as tones in its audio",
    )
    group.addoption("--flow-coverage", action="store_true", help="say which steps and outcomes no call went through")
    group.addoption("--flow-drawing", metavar="FOLDER", help="the same as a drawing (SVG) of each flow; says it, too")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> CallFile | None:
    folder = parent.config.rootpath / parent.config.getini("tonetill_calls")
    if file_path.suffix != ".txt" or folder not in file_path.parents:
        return None
    from ivr.testing.call_files import CallFile

    return CallFile.from_parent(parent, path=file_path)


# ---- coverage, also where xdist plays the calls in other processes

SENT_BY_WORKERS = "tonetill_coverage"


def wants_coverage(config: pytest.Config) -> bool:
    return bool(config.getoption("--flow-coverage") or config.getoption("--flow-drawing"))


def pytest_sessionfinish(session: pytest.Session) -> None:
    output = getattr(session.config, "workeroutput", None)
    if output is not None and PROJECT in session.config.stash and wants_coverage(session.config):
        from ivr.flow.drawing.coverage import as_plain

        output[SENT_BY_WORKERS] = as_plain(session.config.stash[PROJECT].flows.values())


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """xdist's: what a worker has sent is added to what this process knows."""
    sent = getattr(node, "workeroutput", {}).get(SENT_BY_WORKERS)
    if sent:
        from ivr.flow.drawing.coverage import add_plain

        add_plain(project_of(node.config).flows, sent)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if not wants_coverage(config) or PROJECT not in config.stash:
        return
    from ivr.flow.drawing.coverage import coverages

    terminalreporter.section("flow coverage")
    for coverage in coverages(config.stash[PROJECT].flows.values()):
        for line in coverage.lines():
            terminalreporter.write_line(line)
        if folder := config.getoption("--flow-drawing"):
            file = Path(folder) / f"{coverage.flow.name}.svg"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(coverage.drawing(), encoding="utf-8")
            terminalreporter.write_line(f"  drawn in {file}")


@pytest.fixture
def twilio() -> Callable[..., TwilioCall]:
    """Calls any TwiML application offline: `twilio(wsgi_app, "/voice", auth_token="...")`, or with an address:
    `twilio("http://127.0.0.1:5000", "/voice", ...)`."""
    from ivr.testing.twilio.application import call_application

    return call_application


@pytest.fixture
def line(request: pytest.FixtureRequest) -> Iterator[MerchantLine]:
    """Place calls to the project's flows: `line.call("pay-a-bill").press("1", "12345678#")`."""
    from ivr.testing.line import MerchantLine

    option = request.config.getoption
    placed = MerchantLine(project_of(request.config), option("--call-channel"), option("--call-keys"))
    yield placed
    placed.close()
