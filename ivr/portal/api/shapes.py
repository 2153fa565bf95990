"""What the API takes and answers, as pydantic models: they check what is sent, and the description is made of them."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from ivr.bank import ModificationKind
from ivr.core.call import Ending
from ivr.core.line_quality import LineQuality
from ivr.core.money import Money
from ivr.incidents import KeyState, LineKey
from ivr.portal.finding import SearchStatus
from ivr.store import (
    LONGEST_REASON,
    Alert,
    AuditEvent,
    LedgerEntry,
    Modification,
    PortalRequest,
    PortalUser,
    SignInWay,
    Stop,
    StopScope,
    TurnRecord,
    UserState,
    Way,
)

# One line of what can be written: PostgreSQL stores no NUL, and nobody searches for what cannot be seen.
Typed = Annotated[str, Field(max_length=80, pattern=r"^[^\x00-\x1f\x7f]*$")]


Cursor = Annotated[
    str,
    Field(
        max_length=160,
        pattern=r"^(\d{1,15} [\x21-\x7e]{1,120})?$",
        description="a cursor is what `next` of the page before said",
    ),
]
DAY_WRITTEN = "a day is written 2026-12-31"
# Strict: a number would else be taken for the seconds since 1970.
DayAsked = Annotated[Annotated[date, Field(strict=True)] | None, Field(description=DAY_WRITTEN)]


class SentShape(BaseModel):
    """What is sent to us. A name that is none is refused, so that a slip of the pen is not ignored."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, strict=False)


class AmountShown(BaseModel):
    """4250 USD is 42.50 US dollars."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    minor: int
    currency: str

    @classmethod
    def of(cls, money: Money) -> Self:
        return cls(minor=money.minor, currency=money.currency)


def whole(written: object) -> object:
    """JSON has one kind of number: 4250.0 is 4250 (JSON Schema 6.1.1)."""
    return int(written) if isinstance(written, float) and written.is_integer() else written


MINOR_WRITTEN = "a whole number of the currency's minor unit, without quotes: 4250 of USD is 42.50 US dollars"


class AskedAmount(SentShape):
    minor: Annotated[int, Field(strict=True, gt=0, lt=10**9, description=MINOR_WRITTEN), BeforeValidator(whole)]
    currency: Annotated[
        str, Field(pattern=r"^[A-Z]{3}$", description="a currency is its three capital letters, such as USD")
    ]

    def written(self) -> str:
        return str(Money(self.minor, self.currency))


Amount = Annotated[
    AskedAmount | None, Field(description='an amount is written {"minor": 4250, "currency": "USD"}: 42.50 US dollars')
]


class Search(SentShape):
    """`text`: a confirmation number, an account or invoice, our reference, a call's id, the bank's code, or with `day` a card's
    last four digits. `caller`: a number, by a role that may see numbers. `cursor`: `next` of the page before."""

    text: Typed = ""
    day: DayAsked = None
    status: Literal[SearchStatus, ""] = ""
    flow: Typed = ""
    bank: Typed = ""
    amount: Amount = None
    caller: Typed = ""
    cursor: Cursor = ""


class AskedModification(SentShape):
    """`amount`: of a refund; without it, all that is left. A void and a capture are of all of it, and refuse another. `reopens_bill`:
    the bill is owed again."""

    kind: Annotated[ModificationKind, Field(description="a kind is refund, void or capture")]
    amount: Amount = None
    reopens_bill: Annotated[bool, Field(strict=True)] = False


class ReceiptAsked(SentShape):
    """`address`: of an e-mail. A text goes to the number that the call came from, and to no other."""

    way: Annotated[Way, Field(description="a way is text or email")]
    address: Annotated[
        str,
        Field(
            max_length=254,  # RFC 5321 4.5.3.1
            pattern=r"^[^\x00-\x1f\x7f]*$",
            description="an address is written name@example.com",
        ),
    ] = ""


class SecondWord(SentShape):
    allow: Annotated[bool, Field(strict=True, description="true to allow it, false to refuse it, without quotes")]


class AuditQuery(SentShape):
    """`what` and `about`: a part of it. `before`: `next` of the page before."""

    who: Typed = ""
    what: Typed = ""
    about: Typed = ""
    before: Annotated[
        int, Field(ge=0, lt=2**31, description="`before` is the whole number that `next` of the page before said")
    ] = 0


class MovementsQuery(SentShape):
    form: Literal["json", "csv"] = "json"


END_WRITTEN = 'the last three digits of the caller\'s number, in quotes, such as "100"'


class CallsAsked(SentShape):
    """`day`: today, unless it is named. `caller_end`: the last three digits of the caller's number, which is what is shown of it."""

    day: DayAsked = None
    flow: Typed = ""
    outcome: Literal[Ending, ""] = ""
    caller_end: Annotated[str, Field(pattern=r"^([0-9]{3})?$", description=END_WRITTEN)] = ""
    cursor: Cursor = ""


class PersonAsked(SentShape):
    """`number`: a telephone number, in any of the ways that networks write it."""

    number: Annotated[
        Typed, Field(description='a telephone number is written with its country\'s code, such as "+1 202 555 0100"')
    ]


class StopNamed(SentShape):
    """`name`: of the flow or the bank; empty for the whole line."""

    scope: Annotated[StopScope, Field(description="a scope is line, flow or bank")]
    name: Typed = ""


class StopAsked(StopNamed):
    """`reason`: in a few words; it is put on record, and people who look at the stops read it."""

    reason: Annotated[
        str,
        Field(
            min_length=1,
            max_length=LONGEST_REASON,
            pattern=r"^[^\x00-\x1f\x7f]*$",
            description="a reason is one line, in a few words",
        ),
    ]


# ---- answered


class Me(BaseModel):
    user: str
    role: str
    token: str
    until: datetime


class PaymentShown(BaseModel):
    """`bills`: what was paid for. `card`: the brand and the last four digits, which is all that there is of it."""

    reference: str
    status: str
    confirmation_number: str
    begun_at: datetime
    amount: AmountShown
    fee: AmountShown | None
    returned: AmountShown
    refundable: AmountShown
    card: str
    account: str
    bills: dict[str, AmountShown]
    bank: str
    bank_reference: str | None
    authorization_code: str | None
    line: str


class PaymentPage(BaseModel):
    """The latest first. `next`: the cursor of the page after this one; null on the last."""

    payments: list[PaymentShown]
    next: str | None


class LedgerLine(BaseModel):
    at: datetime
    kind: str
    amount: AmountShown
    response_code: str | None

    @classmethod
    def of(cls, entry: LedgerEntry) -> Self:
        amount = AmountShown.of(entry.amount)
        return cls(at=entry.at, kind=entry.kind, amount=amount, response_code=entry.response_code)


class ModificationShown(BaseModel):
    id: str
    reference: str
    kind: Annotated[ModificationKind, Field(description="a kind is refund, void or capture")]
    amount: AmountShown
    status: str
    asked_by: str
    asked_at: datetime
    reason: str | None

    @classmethod
    def of(cls, one: Modification) -> Self:
        return cls(
            id=one.id,
            reference=one.reference,
            kind=one.kind,
            amount=AmountShown.of(one.amount),
            status=one.status,
            asked_by=one.asked_by,
            asked_at=one.asked_at,
            reason=one.reason,
        )


class TurnShown(BaseModel):
    at: datetime
    came: str
    step: str
    said: list[str]

    @classmethod
    def of(cls, turn: TurnRecord) -> Self:
        return cls(at=turn.at, came=turn.came, step=turn.step, said=list(turn.said))


class MessageShown(BaseModel):
    """A text or an e-mail; `to` is shortened."""

    to: str
    body: str
    state: str
    problem: str | None


class Story(PaymentShown):
    """`possible`: what may be asked for now, with the most that it is of; empty for a role that may ask for nothing. `caller` is
    shortened. `ledger`, `modifications` and `turns` of the call: the oldest first."""

    caller: str
    possible: dict[ModificationKind, AmountShown]
    ledger: list[LedgerLine]
    modifications: list[ModificationShown]
    turns: list[TurnShown]
    messages: list[MessageShown]


class CallerShown(BaseModel):
    caller: str


class WishTaken(BaseModel):
    """`waits_as`: the request that a second person must allow; `modification` is then null."""

    told: str
    modification: ModificationShown | None
    waits_as: str | None


class ReceiptTaken(BaseModel):
    """`to` is shortened. What it said, and what became of it, is in the payment's story."""

    told: str
    way: Way
    to: str


class RequestShown(BaseModel):
    id: str
    reference: str
    kind: Annotated[ModificationKind, Field(description="a kind is refund, void or capture")]
    amount: AmountShown
    asked_by: str
    asked_at: datetime

    @classmethod
    def of(cls, one: PortalRequest) -> Self:
        wanted = one.wanted
        return cls(
            id=one.id,
            reference=wanted.reference,
            kind=wanted.kind,
            amount=AmountShown.of(wanted.amount),
            asked_by=wanted.asked_by,
            asked_at=one.asked_at,
        )


class Requests(BaseModel):
    waiting: list[RequestShown]


class LineShown(BaseModel):
    """Audio packets of the caller, where our own line carries them."""

    grade: Literal["good", "fair", "poor", "silent"]
    came: int
    lost: int

    @classmethod
    def of(cls, line: LineQuality) -> Self:
        return cls(grade=line.grade, came=line.came, lost=line.lost)


class CallShown(BaseModel):
    """`caller` is shortened. `outcome`: null while the call goes on. `payment`, `amount`: of its last charge; null where there is none.
    `line`: null where another carries the audio."""

    id: str
    begun_at: datetime
    seconds: float
    caller: str
    flow: str
    channel: str
    language: str
    outcome: Ending | None
    hung_up: bool
    transferred: bool
    payment: str | None
    amount: AmountShown | None
    line: LineShown | None


class CallPage(BaseModel):
    """The latest first. `next`: the cursor of the page after this one; null on the last."""

    calls: list[CallShown]
    next: str | None


class CallStory(CallShown):
    """`charges`: their references. `turns`: the oldest first; none where they are not kept any more."""

    charges: list[str]
    turns: list[TurnShown]
    messages: list[MessageShown]


class LiveCallShown(BaseModel):
    """`moved_at`: when something last happened in it."""

    id: str
    caller: str
    flow: str
    channel: str
    language: str
    step: str
    begun_at: datetime
    moved_at: datetime
    line: LineShown | None


class LiveCalls(BaseModel):
    """The longest two hundred; `in_all`: how many there are."""

    calls: list[LiveCallShown]
    in_all: int


class PersonShown(BaseModel):
    """How many of each are kept. `stays`: what a deletion leaves, and why."""

    calls: int
    charges: int
    texts: int
    stays: list[str]


class PersonData(BaseModel):
    """Each list as in the command `data export`: times in ISO 8601, amounts in minor units."""

    number: str
    exported_at: datetime
    stays: list[str]
    calls: list[dict[str, Any]]
    texts: list[dict[str, Any]]
    turns: list[dict[str, Any]]
    payments: list[dict[str, Any]]
    ledger: list[dict[str, Any]]
    refunds: list[dict[str, Any]]
    agreements: list[dict[str, Any]]
    kept_cards: list[dict[str, Any]]
    guesses: list[dict[str, Any]]
    notices: list[dict[str, Any]]


class PersonDeleted(BaseModel):
    """How many of each were deleted; of `charges`, how many stay without the number."""

    calls: int
    texts: int
    charges: int
    kept_cards: int
    guesses: int
    notices: int


class StopShown(BaseModel):
    scope: StopScope
    name: str
    reason: str
    by: str
    at: datetime

    @classmethod
    def of(cls, one: Stop) -> Self:
        return cls(scope=one.scope, name=one.name, reason=one.reason, by=one.by, at=one.at)


class StopsShown(BaseModel):
    """What takes no cards now, the whole line first; none: everything takes them."""

    stops: list[StopShown]


class KeyShown(BaseModel):
    """`name`: what is rotated together has the same. `where`: its file, or the variable of the environment. `fingerprint`: of a
    certificate its SHA-256, of a secret a keyed hash. `until`: null where it has no end. `alarm`: that what has this name ends within
    30 days without one that follows, or cannot be used, in words; null where all is well."""

    name: str
    what: str
    where: str
    fingerprint: str
    kid: str
    state: KeyState
    since: datetime | None
    until: datetime | None
    alarm: str | None

    @classmethod
    def of(cls, key: LineKey, alarm: str | None) -> Self:
        return cls(
            name=key.name,
            what=key.what,
            where=key.where,
            fingerprint=key.fingerprint,
            kid=key.kid,
            state=key.state,
            since=key.first,
            until=key.last,
            alarm=alarm,
        )


class KeysShown(BaseModel):
    """Those of the banks first."""

    keys: list[KeyShown]


class DayGroup(BaseModel):
    """In minor units; `net` is what was charged less refunds and voids, `fees` are within it."""

    merchant: str
    bank: str
    currency: str
    brand: str
    count: int
    charged: int
    refunded: int
    voided: int
    fees: int
    net: int


class Day(BaseModel):
    """From midnight to midnight UTC. `charges`: those begun, by status. `owed`: what the banks owe for the day, by currency."""

    day: date
    groups: list[DayGroup]
    owed: list[AmountShown]
    charges: dict[str, int]


class MovementsShown(BaseModel):
    """Each as in the CSV file, whose columns the names are."""

    movements: list[dict[str, str]]


class UserShown(BaseModel):
    """`state`: `off` signs in no more, `invited` has a link that waits for them. `signs_in_with`: null where nothing is set up.
    `has_second_factor`: a passkey is two factors in itself. `seen_at`: in a browser; null where no session is kept."""

    name: str
    role: str
    state: UserState
    signs_in_with: SignInWay | None
    has_second_factor: bool
    seen_at: datetime | None

    @classmethod
    def of(cls, one: PortalUser) -> Self:
        return cls(
            name=one.name,
            role=one.role,
            state=one.state,
            signs_in_with=one.signs_in_with,
            has_second_factor=one.signs_in_with is not None,
            seen_at=one.seen_at,
        )


class UsersShown(BaseModel):
    """By name."""

    users: list[UserShown]


class EventShown(BaseModel):
    id: int
    at: datetime
    who: str
    what: str
    about: str

    @classmethod
    def of(cls, one: AuditEvent) -> Self:
        return cls(id=one.id, at=one.at, who=one.who, what=one.what, about=one.about)


class AuditPage(BaseModel):
    """The latest first. `next`: `before` of the page after this one; null on the last."""

    events: list[EventShown]
    next: int | None


class AlertsQuery(SentShape):
    over: Literal["yes", "no"] = "no"


class AlertShown(BaseModel):
    """`about`: what it is about, the same while it lasts. `over_at`: null while it stands."""

    id: int
    kind: str
    about: str
    words: str
    since: datetime
    over_at: datetime | None

    @classmethod
    def of(cls, one: Alert) -> Self:
        return cls(id=one.id, kind=one.kind, about=one.about, words=one.words, since=one.since, over_at=one.ended_at)


class AlertsShown(BaseModel):
    """Those that stand first; two hundred at most."""

    alerts: list[AlertShown]


class WrongPlace(BaseModel):
    """`place`: where in the request, such as `body.amount.minor`; `cure`: what is expected there."""

    place: str
    cure: str


class ProblemDetails(BaseModel):
    """RFC 9457, as `application/problem+json`."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[WrongPlace]
