"""Figures that alerts are raised by: how charges end at each bank, and how many cards are declined from one place.

Of a card there are brand, last four digits, a keyed fingerprint and a keyed tag of its first six digits (BIN): cards that
differ are counted, and so are cards that begin alike; their beginnings are not known.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import case, distinct, func, select

from ivr.store.database import Database, milliseconds
from ivr.store.tables import payment_intent

columns = payment_intent.c
FROM_ONE = {"caller": columns.ani_hash, "block": columns.ani_block, "account": columns.account, "line": columns.line}
Place = Literal["caller", "block", "account", "line"]
LONGEST_SHOWN = 16  # of a caller's hash


@dataclass(frozen=True)
class BankFigures:
    """Charges of some time. `open`: those without an answer."""

    approved: int
    declined: int
    open: int

    @property
    def answered(self) -> int:
        return self.approved + self.declined


@dataclass(frozen=True)
class DeclinedCards:
    """Different cards that were declined from one `place`. `latest`: the reference of one of the charges. `callers`: how many
    numbers they came from."""

    place: Place
    which: str
    cards: int
    latest: str
    callers: int = 1


@dataclass(frozen=True)
class BinCards:
    """Different cards of one BIN, known by its tag. `answered`: those that a bank approved or declined; `declined`: those of them
    that it never approved. `latest`: the reference of a charge that was declined."""

    tag: str
    declined: int
    answered: int
    latest: str


class AlertFigures:
    def __init__(self, database: Database) -> None:
        self._database = database

    def bank_figures(self, since: datetime, until: datetime) -> Mapping[str, BankFigures]:
        """Of charges begun in that time, by bank."""
        begun = columns.created_at >= milliseconds(since), columns.created_at < milliseconds(until)
        counted = select(columns.bank, columns.status, func.count().label("charges")).where(*begun)
        by_bank: dict[str, dict[str, int]] = {}
        with self._database.calls() as connection:
            for row in connection.execute(counted.group_by(columns.bank, columns.status)):
                by_bank.setdefault(row.bank, {})[row.status] = row.charges
        return {
            bank: BankFigures(
                of_it.get("approved", 0),
                of_it.get("declined", 0),
                sum(of_it.get(status, 0) for status in ("accepted", "sent", "unknown")),
            )
            for bank, of_it in by_bank.items()
        }

    def unknown_charges(self) -> int:
        counted = select(func.count()).select_from(payment_intent).where(columns.status == "unknown")
        with self._database.calls() as connection:
            return int(connection.execute(counted).scalar_one())

    def declined_cards(self, place: Place, since: datetime, least: int) -> Sequence[DeclinedCards]:
        """Places with at least so many; callers without a number are none."""
        which, cards = FROM_ONE[place], func.count(distinct(columns.card_fingerprint))
        declined = columns.created_at >= milliseconds(since), columns.status == "declined", which != ""
        found = select(which.label("which"), cards.label("cards"), func.max(columns.reference).label("latest"))
        found = found.add_columns(func.count(distinct(columns.ani_hash)).label("callers"))
        with self._database.calls() as connection:
            rows = connection.execute(found.where(*declined).group_by(which).having(cards >= least)).all()
        return [DeclinedCards(place, row.which[:LONGEST_SHOWN], row.cards, row.latest, row.callers) for row in rows]

    def declined_bins(self, since: datetime, least: int, percent: int) -> Sequence[BinCards]:
        """BINs of which at least so many cards were declined, and so many per cent of those that were answered. A card counts
        once, however often it was tried: one that was declined and approved since is good. Without a tag there is no BIN."""
        tag = columns.card_bin_tag
        answered = columns.status.in_(("approved", "declined")), columns.card_fingerprint != "", tag != ""
        is_good = func.max(case((columns.status == "approved", 1), else_=0)).label("is_good")
        latest = func.max(case((columns.status == "declined", columns.reference))).label("latest")
        cards = select(tag.label("tag"), is_good, latest).where(columns.created_at >= milliseconds(since), *answered)
        card = cards.group_by(tag, columns.card_fingerprint).subquery().c
        declined, whole = func.sum(1 - card.is_good), func.count()
        found = select(card.tag, declined.label("declined"), whole.label("answered"))
        found = found.add_columns(func.max(case((card.is_good == 0, card.latest))).label("latest")).group_by(card.tag)
        with self._database.calls() as connection:
            rows = connection.execute(found.having(declined >= least, 100 * declined >= percent * whole)).all()
        return [BinCards(row.tag, row.declined, row.answered, row.latest) for row in rows]
