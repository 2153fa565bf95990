"""Flows in the making: an author's draft of each, and publications and rollbacks that a second author must allow (four eyes)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import Row, delete, insert, select, update

from ivr.store.audit import add_event
from ivr.store.database import Database, milliseconds
from ivr.store.tables import flow_draft, flow_request
from ivr.store.versions import Draft

FlowChange = Literal["publication", "rollback"]


@dataclass(frozen=True)
class SavedDraft:
    """`files`: JSON of whoever keeps it; `base`: the number of the version that was live when it was begun, 0 for none."""

    flow: str
    author: str
    files: str = field(repr=False)
    base: int
    saved_at: datetime


@dataclass(frozen=True)
class WantedFlow:
    """`draft`: what is to be published, or `number`: the version that is to be live again. `base`: the number of the one that is live."""

    kind: FlowChange
    flow: str
    base: int
    asked_by: str
    number: int = 0
    draft: Draft | None = None

    @property
    def told(self) -> str:
        return f"{self.kind} of {self.flow}" + (f" to version {self.number}" if self.number else "")


@dataclass(frozen=True)
class FlowRequest:
    """`status`: `waiting`, `allowed` or `refused`."""

    id: str
    wanted: WantedFlow
    asked_at: datetime
    status: str
    decided_by: str


class FlowRequests:
    def __init__(self, database: Database) -> None:
        self._database = database

    # ---- drafts

    def save_flow_draft(self, saved: SavedDraft) -> None:
        """In the place of the author's draft before it."""
        row: dict[str, object] = {"flow": saved.flow, "author": saved.author, "files": saved.files}
        row |= {"base": saved.base, "saved_at": milliseconds(saved.saved_at)}
        with self._database.money() as connection:
            self._database.hold(connection, f"flow draft {saved.flow} {saved.author}")
            connection.execute(delete(flow_draft).where(*_of(saved.flow, saved.author)))
            connection.execute(insert(flow_draft), row)

    def flow_draft(self, flow: str, author: str) -> SavedDraft | None:
        with self._database.calls() as connection:
            row = connection.execute(select(flow_draft).where(*_of(flow, author))).first()
        return SavedDraft(row.flow, row.author, row.files, row.base, _at(row.saved_at)) if row else None

    def drop_flow_draft(self, flow: str, author: str) -> None:
        with self._database.money() as connection:
            connection.execute(delete(flow_draft).where(*_of(flow, author)))

    # ---- four eyes

    def ask_second_author(self, key: str, wanted: WantedFlow, now: datetime) -> bool:
        """False where something of this flow waits already."""
        columns, draft = flow_request.c, wanted.draft
        row = {
            **{"id": key, "kind": wanted.kind, "flow": wanted.flow, "number": wanted.number, "base": wanted.base},
            **{"digest": draft.digest if draft else "", "text": draft.text if draft else ""},
            **{"prompts": draft.prompts if draft else "", "parts": draft.parts if draft else ""},
            **{"asked_by": wanted.asked_by, "asked_at": milliseconds(now), "status": "waiting", "decided_by": ""},
        }
        with self._database.money() as connection:
            self._database.hold(connection, f"flow {wanted.flow}")
            waiting = select(columns.id).where(columns.flow == wanted.flow, columns.status == "waiting")
            if connection.execute(waiting).first() is not None:
                return False
            connection.execute(insert(flow_request), row)
            add_event(self._database, connection, wanted.asked_by, "second author asked", wanted.told, now)
            return True

    def waiting_flow_requests(self, most: int = 200) -> Sequence[FlowRequest]:
        """The oldest first."""
        wanted = select(flow_request).where(flow_request.c.status == "waiting")
        with self._database.calls() as connection:
            rows = connection.execute(wanted.order_by(flow_request.c.asked_at).limit(most)).all()
        return [_request(row) for row in rows]

    def flow_request(self, key: str) -> FlowRequest | None:
        with self._database.calls() as connection:
            row = connection.execute(select(flow_request).where(flow_request.c.id == key)).first()
        return _request(row) if row else None

    def decide_flow_request(self, key: str, by: str, now: datetime, *, allows: bool) -> FlowRequest | None:
        """Once, and allowed by somebody else than who asked, who may take it back; None otherwise."""
        columns = flow_request.c
        status = "allowed" if allows else "refused"
        is_theirs = [columns.id == key, columns.status == "waiting"]
        if allows:
            is_theirs.append(columns.asked_by != by)
        values = {"status": status, "decided_by": by, "decided_at": milliseconds(now)}
        with self._database.money() as connection:
            if not connection.execute(update(flow_request).where(*is_theirs).values(values)).rowcount:
                return None
            found = _request(connection.execute(select(flow_request).where(columns.id == key)).one())
            about = f"{found.wanted.told}, asked by {found.wanted.asked_by}"
            add_event(self._database, connection, by, f"second author {status}", about, now)
            return found


def _of(flow: str, author: str) -> tuple[Any, Any]:
    return flow_draft.c.flow == flow, flow_draft.c.author == author


def _at(written: int) -> datetime:
    return datetime.fromtimestamp(written / 1000, UTC)


def _request(row: Row[Any]) -> FlowRequest:
    draft = Draft(row.flow, row.digest, row.text, row.prompts, row.parts) if row.kind == "publication" else None
    wanted = WantedFlow(row.kind, row.flow, row.base, row.asked_by, row.number, draft)
    return FlowRequest(row.id, wanted, _at(row.asked_at), row.status, row.decided_by)
