"""All that some process would refuse in the settings at its start, for `set-up` and `up`, which start none or all of them.

What is only unsafe (a demo merchant in production) is `ivr.calls.production`'s.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import UTC, datetime

from ivr.calls.production import wrong_settings
from ivr.cli.start_up import read_procfile
from ivr.errors import ConfigError
from ivr.extras import what_is_missing
from ivr.loading import load
from ivr.places import project_folder
from ivr.settings import Settings

Read = Callable[[Settings], object]


def require_settings(settings: Settings, processes: Collection[str]) -> None:
    """ConfigError with all of it, a line each. `processes`: those that are meant to run here."""
    problems = [*wrong_settings(settings)]
    for process, read in (("portal", read_by_portal), ("trunk", read_by_trunk)):
        if process in processes:
            problems += _told(settings, read())
    if problems:
        raise ConfigError("\n".join(dict.fromkeys(problems)))


def processes_here() -> list[str]:
    """Those of the Procfile whose modules are installed."""
    return [name for name in read_procfile(project_folder()) if not what_is_missing(name)]


def read_by_portal() -> Sequence[Read]:
    portal = load("ivr.portal")
    return portal.site_of, lambda one: portal.provider_of(one, one.portal_address, lambda: datetime.now(UTC))


def read_by_trunk() -> Sequence[Read]:
    trunk = load("ivr.channels.trunk")
    return trunk.sip_settings, lambda one: trunk.peer_of(one).check(), trunk.media_settings


def _told(settings: Settings, reads: Sequence[Read]) -> Iterator[str]:
    for read in reads:
        try:
            read(settings)
        except ConfigError as error:
            yield from str(error).splitlines()
