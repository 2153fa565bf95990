"""Refunds and voids that one person asks for and a second one must allow (four eyes)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Row, insert, select, update

from ivr.core.money import Money
from ivr.store.audit import add_event
from ivr.store.database import Database, milliseconds
from ivr.store.modification_rows import WantedModification
from ivr.store.tables import portal_request


@dataclass(frozen=True)
class PortalRequest:
    """`wanted.asked_by` is who asked. `status`: `waiting`, `allowed` or `refused`."""

    id: str
    wanted: WantedModification
    asked_at: datetime
    status: str
    decided_by: str


class PortalRequests:
    def __init__(self, database: Database) -> None:
        self._database = database

    def ask_second_person(self, key: str, wanted: WantedModification, now: datetime) -> bool:
        """False where the same of this charge waits already."""
        columns = portal_request.c
        same = columns.reference == wanted.reference, columns.kind == wanted.kind, columns.status == "waiting"
        row = {
            "id": key,
            "reference": wanted.reference,
            "kind": wanted.kind,
            "amount_minor": wanted.amount.minor,
            "left_minor": wanted.left.minor,
            "currency": wanted.amount.currency,
            "reopens_bill": wanted.reopens_bill,
            "asked_by": wanted.asked_by,
            "asked_at": milliseconds(now),
            "status": "waiting",
            "decided_by": "",
        }
        with self._database.money() as connection:
            self._database.hold(connection, f"portal request {wanted.reference}")
            if connection.execute(select(columns.id).where(*same)).first() is not None:
                return False
            connection.execute(insert(portal_request), row)
            about = f"{wanted.kind} of {wanted.amount} of {wanted.reference}"
            add_event(self._database, connection, wanted.asked_by, "second person asked", about, now)
            return True

    def waiting_requests(self, most: int = 200) -> Sequence[PortalRequest]:
        """The oldest first."""
        wanted = select(portal_request).where(portal_request.c.status == "waiting")
        with self._database.calls() as connection:
            rows = connection.execute(wanted.order_by(portal_request.c.asked_at).limit(most)).all()
        return [_request(row) for row in rows]

    def requests_of(self, reference: str) -> Sequence[PortalRequest]:
        """All that were made of a charge, decided or not, the oldest first."""
        wanted = select(portal_request).where(portal_request.c.reference == reference)
        with self._database.calls() as connection:
            rows = connection.execute(wanted.order_by(portal_request.c.asked_at)).all()
        return [_request(row) for row in rows]

    def portal_request(self, key: str) -> PortalRequest | None:
        with self._database.calls() as connection:
            row = connection.execute(select(portal_request).where(portal_request.c.id == key)).first()
        return _request(row) if row else None

    def decide_request(self, key: str, by: str, now: datetime, *, allows: bool) -> PortalRequest | None:
        """Once, and allowed by somebody else than who asked, who may take it back; None otherwise."""
        columns = portal_request.c
        status = "allowed" if allows else "refused"
        is_theirs = [columns.id == key, columns.status == "waiting"]
        if allows:
            is_theirs.append(columns.asked_by != by)
        values = {"status": status, "decided_by": by, "decided_at": milliseconds(now)}
        with self._database.money() as connection:
            if not connection.execute(update(portal_request).where(*is_theirs).values(values)).rowcount:
                return None
            row = connection.execute(select(portal_request).where(columns.id == key)).one()
            found = _request(row)
            about = f"{found.wanted.kind} of {found.wanted.amount} of {found.wanted.reference}, asked by {found.wanted.asked_by}"
            add_event(self._database, connection, by, f"second person {status}", about, now)
            return found


def _request(row: Row[tuple[object, ...]]) -> PortalRequest:
    amount, left = Money(row.amount_minor, row.currency), Money(row.left_minor, row.currency)
    wanted = WantedModification(row.reference, row.kind, amount, left, row.asked_by, row.reopens_bill)
    return PortalRequest(row.id, wanted, datetime.fromtimestamp(row.asked_at / 1000, UTC), row.status, row.decided_by)
