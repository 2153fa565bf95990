"""Which flow, and which banks, are meant where a command names none."""

import os
from pathlib import Path

from ivr.errors import ConfigError
from ivr.places import COMMAND, SHIPPED, find_project, shown
from ivr.reading.problems import did_you_mean
from ivr.settings import Settings, load_settings

SAMPLE = "pay-a-bill.yaml"


def chosen_flow() -> Path:
    """The project's only flow, or its pay-a-bill; outside of any project the sample that ships."""
    if find_project() is None:
        return SHIPPED / "flows" / SAMPLE
    folder = settings_to_read().flows
    files = sorted(folder.glob("*.yaml"))
    named = [file for file in files if file.name == SAMPLE]
    if named or len(files) == 1:
        return (named or files)[0]
    if not files:
        raise ConfigError(f"no flows in {folder}: set FLOWS to a folder with *.yaml")
    raise ConfigError(f"which flow? `{COMMAND} ... {files[0]}`; there are {', '.join(file.name for file in files)}")


def flow_file(named: Path) -> Path:
    """The file, or the project's of that name. ConfigError lists the flows that there are."""
    if named.is_file():
        return named
    folder = chosen_flows()
    files = {file.stem: file for file in sorted(folder.glob("*.yaml"))}
    if str(named) in files:
        return files[str(named)]
    raise ConfigError(
        f"there is no flow {named}: write a file, such as {shown(folder)}/NAME.yaml, or the name of one there "
        f"({did_you_mean(named.stem, files) or 'there is none'})"
    )


def chosen_flows() -> Path:
    """The project's folder of flows; outside of any project the sample's."""
    return SHIPPED / "flows" if find_project() is None else settings_to_read().flows


def chosen_banks() -> Path:
    """The project's; outside of any project the sample's."""
    return SHIPPED / "config" / "banks.yaml" if find_project() is None else settings_to_read().banks


def chosen_switches() -> frozenset[str] | None:
    """The settings that the project's flows may rely on; None outside of any project: they are not asked for."""
    from ivr.calls.assembly import switched_on  # with a vault and a bank's client, which nothing else here needs

    return None if find_project() is None else switched_on(settings_to_read())


def settings_to_read() -> Settings:
    """The project's, for a command that only reads: no token is made for it."""
    return load_settings({"TWILIO_AUTH_TOKEN": "not used", **os.environ})
