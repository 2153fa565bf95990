"""What every new call is told first, of all flows or of one: switched on and off while calls go on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import delete, insert, select

from ivr.store.database import Database, milliseconds
from ivr.store.tables import announcement

ALL_FLOWS = ""


@dataclass(frozen=True)
class Announcement:
    """`texts` by language; `flow` is `ALL_FLOWS` for all of them; `ends_calls`: nothing else can be done in a call."""

    flow: str
    texts: Mapping[str, str]
    ends_calls: bool
    set_at: datetime


class Announcements:
    def __init__(self, database: Database) -> None:
        self._database = database

    def announce(self, told: Announcement) -> None:
        """In place of what was told before of the same flow, or of all."""
        rows = [
            {"flow": told.flow, "language": language, "text": text}
            | {"ends_calls": told.ends_calls, "set_at": milliseconds(told.set_at)}
            for language, text in told.texts.items()
        ]
        with self._database.money() as connection:
            connection.execute(delete(announcement).where(announcement.c.flow == told.flow))
            connection.execute(insert(announcement), rows)

    def stop_announcing(self, flow: str) -> bool:
        """False where nothing was announced."""
        with self._database.money() as connection:
            return bool(connection.execute(delete(announcement).where(announcement.c.flow == flow)).rowcount)

    def announcements(self) -> Sequence[Announcement]:
        """That of all flows first."""
        with self._database.calls() as connection:
            rows = connection.execute(select(announcement).order_by(announcement.c.flow, announcement.c.language)).all()
        found: dict[str, Announcement] = {}
        for row in rows:
            texts = {**(found[row.flow].texts if row.flow in found else {}), row.language: row.text}
            at = datetime.fromtimestamp(row.set_at / 1000, UTC)
            found[row.flow] = Announcement(row.flow, texts, row.ends_calls, at)
        return list(found.values())

    def announcement_for(self, flow: str) -> Announcement | None:
        """The flow's own goes before that of all."""
        found = {one.flow: one for one in self.announcements()}
        return found.get(flow) or found.get(ALL_FLOWS)
