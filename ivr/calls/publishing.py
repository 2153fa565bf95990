"""How a flow goes live and back, whoever asks for it: the command line and the portal do it by these, and both are on record."""

from dataclasses import dataclass
from datetime import datetime

from ivr.calls.flow_folder import draft_of
from ivr.calls.live_flows import stored_content_of
from ivr.errors import RecordError
from ivr.flow.compiler import Around
from ivr.flow.content import Content, compiled
from ivr.places import COMMAND
from ivr.reading.problems import did_you_mean
from ivr.store import FlowVersion, Store


def known_flow(store: Store, flow: str) -> str:
    """RecordError for a flow that was never published."""
    names = store.published_flows()
    if flow not in names:
        raise RecordError(f"no flow '{flow}' was ever published ({did_you_mean(flow, names)})")
    return flow


def live_version(store: Store, flow: str) -> FlowVersion | None:
    """None where it was withdrawn, or never published."""
    live = store.live_versions().get(flow)
    return store.flow_version(flow, live.number) if live else None


def required_live(live: FlowVersion | None, flow: str) -> FlowVersion:
    if live is None:
        raise RecordError(f"{flow} is withdrawn: `{COMMAND} flows rollback {flow}` lets it answer again")
    return live


def numbered_version(store: Store, flow: str, number: int) -> FlowVersion:
    found = store.flow_version(flow, number)
    if found is None:
        numbers = ", ".join(str(one.number) for one in store.flow_versions(flow))
        raise RecordError(f"there is no version {number} of {flow}; there are {numbers}")
    return found


def publish_content(store: Store, content: Content, by: str, now: datetime, base: int | None = None) -> FlowVersion:
    """The content is checked already: it comes of `contents_of`. `base`: the version that is live, as whoever publishes has seen it;
    OtherLiveError where that is another one."""
    version = store.publish_flow(draft_of(content), by, now, base)
    store.note(by, "flow published", f"{content.flow} {version.number}", now)
    return version


@dataclass(frozen=True)
class WayBack:
    """A rollback that can be done. `live` is None where no call is answered now."""

    live: FlowVersion | None
    target: FlowVersion

    @property
    def is_live_already(self) -> bool:
        return self.live is not None and self.live.number == self.target.number


def way_back(store: Store, flow: str, number: int | None) -> WayBack:
    """To that version; without a number, to the one that was live before. RecordError where there is none."""
    live = live_version(store, known_flow(store, flow))
    target = store.version_before(flow) if number is None else numbered_version(store, flow, number)
    if target is None:
        raise RecordError(f"{flow} has no version before {live.number if live else 'this one'}")
    return WayBack(live, target)


def roll_back(
    store: Store, target: FlowVersion, around: Around, by: str, now: datetime, base: int | None = None
) -> None:
    """FlowError where this program, with these banks, cannot use the version any more; nothing has changed then. `base`: as for
    `publish_content`."""
    compiled(stored_content_of(target), around)
    store.make_live(target.flow, target.number, base)
    store.note(by, "flow rolled back", f"{target.flow} {target.number}", now)
