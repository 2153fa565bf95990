"""The project of a pytest run, found once and kept in its config's stash. Imported in every run: nothing heavy before use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ivr.testing.project import Project

PROJECT = pytest.StashKey["Project"]()


def project_of(config: pytest.Config) -> Project:
    from ivr.flow.drawing.coverage import counted
    from ivr.testing.project import find_project

    if PROJECT not in config.stash:
        config.stash[PROJECT] = find_project(
            config.rootpath, config.getini("tonetill_flows"), config.getini("tonetill_accounts"), prepare=counted
        )
    return config.stash[PROJECT]
