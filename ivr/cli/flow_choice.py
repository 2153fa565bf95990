"""Which flow is meant where a command names none."""

from pathlib import Path

from ivr.errors import ConfigError
from ivr.places import COMMAND, SHIPPED, find_project
from ivr.settings import load_settings

SAMPLE = "pay-a-bill.yaml"


def chosen_flow() -> Path:
    """The project's only flow, or its pay-a-bill; outside of any project the sample that ships."""
    if find_project() is None:
        return SHIPPED / "flows" / SAMPLE
    folder = load_settings().flows
    files = sorted(folder.glob("*.yaml"))
    named = [file for file in files if file.name == SAMPLE]
    if named or len(files) == 1:
        return (named or files)[0]
    if not files:
        raise ConfigError(f"no flows in {folder}: set FLOWS to a folder with *.yaml")
    raise ConfigError(f"which flow? `{COMMAND} ... {files[0]}`; there are {', '.join(file.name for file in files)}")
