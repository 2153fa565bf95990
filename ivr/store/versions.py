"""The versions of flows: what was published, which version new calls begin on, and to which one open calls are moved.

A version is never changed: what was published under a number is there as long as the database. What a version's text and
prompts mean is not known here.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from ivr.core.call import Call
from ivr.core.call_form import read_call
from ivr.errors import RecordError
from ivr.store.caller_numbers import opened_state
from ivr.store.database import Database, milliseconds
from ivr.store.tables import call, flow_version, live_flow

WITHDRAWN = 0  # the number of a flow whose new calls nobody answers


class OtherLiveError(RecordError):
    """Another version has become live since whoever asks has looked: nothing was changed."""

    def __init__(self) -> None:
        super().__init__("another version has become live meanwhile: look again, nothing was changed")


@dataclass(frozen=True)
class Draft:
    """What is to be published. `prompts` and `parts`: JSON, as it is stored; `digest`: of all of it, so of what a call runs on."""

    flow: str
    digest: str
    text: str
    prompts: str
    parts: str = "{}"


@dataclass(frozen=True)
class FlowVersion:
    """`number` counts the versions of one flow, from 1."""

    flow: str
    number: int
    digest: str
    text: str
    prompts: str
    published_at: datetime
    published_by: str
    parts: str = "{}"


@dataclass(frozen=True)
class LiveVersion:
    """`number` is `WITHDRAWN` where the flow is answered no more. `turn` moves with every change of this flow's versions."""

    number: int
    turn: int


class FlowVersions:
    def __init__(self, database: Database) -> None:
        self._database = database

    # ---- reading

    def live_versions(self) -> Mapping[str, LiveVersion]:
        """By flow: one small statement, which every process asks every few seconds."""
        with self._database.calls() as connection:
            rows = connection.execute(select(live_flow)).all()
        return {row.flow: LiveVersion(row.number, row.turn) for row in rows}

    def flow_version(self, flow: str, number: int) -> FlowVersion | None:
        return self._one(flow_version.c.flow == flow, flow_version.c.number == number)

    def version_of_digest(self, digest: str) -> FlowVersion | None:
        return self._one(flow_version.c.digest == digest)

    def flow_versions(self, flow: str) -> Sequence[FlowVersion]:
        """All of one flow, the oldest first."""
        with self._database.calls() as connection:
            rows = connection.execute(_of(flow).order_by(flow_version.c.number))
            return [_version(row) for row in rows]

    def published_flows(self) -> Sequence[str]:
        """The names of all flows that were ever published."""
        with self._database.calls() as connection:
            return list(connection.execute(select(live_flow.c.flow).order_by(live_flow.c.flow)).scalars())

    def version_before(self, flow: str) -> FlowVersion | None:
        """The one that was live before the one that is; of a withdrawn flow the one that was live last."""
        with self._database.calls() as connection:
            live = connection.execute(_live(flow)).first()
        latest = _of(flow).where(flow_version.c.number != (live.number if live else WITHDRAWN))
        with self._database.calls() as connection:
            row = connection.execute(latest.order_by(flow_version.c.live_turn.desc()).limit(1)).first()
        return _version(row) if row else None

    def flow_moves(self) -> Mapping[str, str]:
        """From the digest of a version to that of the one its open calls go on with, where they can."""
        moved = select(flow_version.c.digest, flow_version.c.moved_to).where(flow_version.c.moved_to.is_not(None))
        with self._database.calls() as connection:
            return {row.digest: row.moved_to for row in connection.execute(moved)}

    def open_calls(self, flow: str) -> Iterator[Call]:
        """Those of the flow that go on; one whose row cannot be read whole is left out."""
        rows = select(call.c.id, call.c.state, call.c.caller).where(call.c.flow == flow, ~call.c.is_over)
        with self._database.calls() as connection:
            found = connection.execute(rows).all()
        for row in found:
            state = opened_state(self._database.numbers, row.id, row.state, row.caller)
            read, is_whole = read_call(state, row.id, flow)
            if is_whole:
                yield read

    # ---- changing: each change is one transaction, and of two at once the second waits for the first

    def publish_flow(self, draft: Draft, by: str, now: datetime, base: int | None = None) -> FlowVersion:
        """Stores the version, unless it is there, and makes it live. What is live already is left as it is. `base`: as for `make_live`."""
        with self._database.money() as connection:
            self._database.hold(connection, f"flow {draft.flow}")
            _require_base(connection, draft.flow, base)
            row = connection.execute(_of(draft.flow).where(flow_version.c.digest == draft.digest)).first()
            if row is None:
                number = 1 + (connection.execute(_last_number(draft.flow)).scalar_one() or 0)
                added = {"flow": draft.flow, "number": number, "digest": draft.digest, "live_turn": 0}
                added |= {"text": draft.text, "prompts": draft.prompts, "parts": draft.parts}
                added |= {"published_at": milliseconds(now), "published_by": by}
                connection.execute(insert(flow_version), added)
                row = connection.execute(_of(draft.flow).where(flow_version.c.number == number)).one()
            _let_live(connection, draft.flow, row.number)
            return _version(row)

    def make_live(self, flow: str, number: int, base: int | None = None) -> None:
        """LookupError where there is no such version. `WITHDRAWN`: no new call of the flow is answered. `base`: the version that is
        live, by the word of whoever asks; OtherLiveError where another has become live since."""
        with self._database.money() as connection:
            self._database.hold(connection, f"flow {flow}")
            _require_base(connection, flow, base)
            known = _of(flow).where(flow_version.c.number == number) if number != WITHDRAWN else _live(flow)
            if connection.execute(known).first() is None:
                raise LookupError(f"there is no version {number} of {flow}")
            _let_live(connection, flow, number)

    def move_calls(self, flow: str, numbers: Collection[int]) -> None:
        """Open calls of these versions go on with the live one from their next event on, where they can."""
        with self._database.money() as connection:
            self._database.hold(connection, f"flow {flow}")
            live = connection.execute(_live(flow)).one()
            digest = select(flow_version.c.digest).where(
                flow_version.c.flow == flow, flow_version.c.number == live.number
            )
            target = connection.execute(digest).scalar_one()
            of_flow = update(flow_version).where(flow_version.c.flow == flow)
            # The live version's own calls stay, or a move to and fro would never end.
            connection.execute(of_flow.where(flow_version.c.number == live.number).values(moved_to=None))
            others = flow_version.c.number.in_(sorted(set(numbers) - {live.number}))
            connection.execute(of_flow.where(others).values(moved_to=target))
            _turn(connection, flow, live.number, live.turn + 1)

    def _one(self, *conditions: Any) -> FlowVersion | None:
        with self._database.calls() as connection:
            row = connection.execute(select(flow_version).where(*conditions)).first()
        return _version(row) if row else None


def _of(flow: str) -> Any:
    return select(flow_version).where(flow_version.c.flow == flow)


def _live(flow: str) -> Any:
    return select(live_flow).where(live_flow.c.flow == flow)


def _last_number(flow: str) -> Any:
    return select(func.max(flow_version.c.number)).where(flow_version.c.flow == flow)


def _require_base(connection: Connection, flow: str, base: int | None) -> None:
    live = connection.execute(_live(flow)).first()
    if base is not None and (live.number if live else WITHDRAWN) != base:
        raise OtherLiveError


def _let_live(connection: Connection, flow: str, number: int) -> None:
    live = connection.execute(_live(flow)).first()
    if live is not None and live.number == number:
        return
    turn = live.turn + 1 if live else 1
    if live is None:
        connection.execute(insert(live_flow), {"flow": flow, "number": number, "turn": turn})
    else:
        _turn(connection, flow, number, turn)
    # What is live is where calls end up: they are moved away from it only by a later word.
    is_it = (flow_version.c.flow == flow) & (flow_version.c.number == number)
    connection.execute(update(flow_version).where(is_it).values(live_turn=turn, moved_to=None))


def _turn(connection: Connection, flow: str, number: int, turn: int) -> None:
    connection.execute(update(live_flow).where(live_flow.c.flow == flow).values(number=number, turn=turn))


def _version(row: Row[Any]) -> FlowVersion:
    return FlowVersion(
        row.flow,
        row.number,
        row.digest,
        row.text,
        row.prompts,
        datetime.fromtimestamp(row.published_at / 1000, UTC),
        row.published_by,
        row.parts,
    )
