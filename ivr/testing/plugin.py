"""The pytest plugin: calls/*.txt of a project are tests, and `line` places calls from Python.

pytest imports this in every run of every project that has the package installed, so what is heavy is imported when a call
file or the fixture is met, not before.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ivr.testing.call_files import CallFile
    from ivr.testing.line import MerchantLine
    from ivr.testing.project import Project

INI = {
    "tonetill_calls": ("folder of call files, from the project's root", "calls"),
    "tonetill_flows": ("folder of flows, with the folder `prompts` in it", "flows"),
    "tonetill_accounts": ("CSV file of what accounts owe", "config/accounts.csv"),
}
_project = pytest.StashKey["Project"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    for name, (meaning, default) in INI.items():
        parser.addini(name, f"tonetill: {meaning} (default: {default})", default=default)
    group = parser.getgroup("tonetill", "payment calls")
    group.addoption(
        "--call-channel",
        choices=("core", "webhooks"),
        default="core",
        help="how calls reach the engine: in-process, or through signed webhooks over the web application",
    )


def project_of(config: pytest.Config) -> Project:
    from ivr.testing.project import find_project

    if _project not in config.stash:
        config.stash[_project] = find_project(
            config.rootpath, config.getini("tonetill_flows"), config.getini("tonetill_accounts")
        )
    return config.stash[_project]


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> CallFile | None:
    folder = parent.config.rootpath / parent.config.getini("tonetill_calls")
    if file_path.suffix != ".txt" or folder not in file_path.parents:
        return None
    from ivr.testing.call_files import CallFile

    return CallFile.from_parent(parent, path=file_path)


@pytest.fixture
def line(request: pytest.FixtureRequest) -> MerchantLine:
    """Place calls to the project's flows: `line.call("pay-a-bill").press("1", "12345678#")`."""
    from ivr.testing.line import MerchantLine

    return MerchantLine(project_of(request.config), request.config.getoption("--call-channel"))
