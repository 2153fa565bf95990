"""Everything that is kept: calls, the ledger, the outbox, bills and texts; on SQLite or PostgreSQL by URL alone.

Public are the names of `__all__`, and the modules `accounts_file` and `audit`.
"""

from collections.abc import Collection
from functools import cache

from sqlalchemy.exc import DBAPIError as DatabaseError

from ivr.store.accounts_file import Bill, read_bills
from ivr.store.agreements import Agreement, Agreements
from ivr.store.alert_figures import AlertFigures, BankFigures, DeclinedCards
from ivr.store.alerts import Alert, AlertReceivers, Alerts, FoundAlert
from ivr.store.announcements import ALL_FLOWS, Announcement, Announcements
from ivr.store.audit import Audit, AuditEvent, AuditFilter, AuditHead, BrokenEvent
from ivr.store.balances import AccountBalance, AccountBalances, PaidOnBill, PaidSoFar
from ivr.store.bank_news import UNDO_ASKED, BankNewsBook, News, TooEarly
from ivr.store.billing import BillRows, Renewal
from ivr.store.book_check import BookCheck, BookFault
from ivr.store.call_search import CallFilter, CallSearch, LiveCall, PromptTime
from ivr.store.caller_numbers import NUMBER_KEY_BYTES, NumberSeals, hash_of_caller, number_key_id
from ivr.store.calls import CallRecord, StaleCall, StoredCall
from ivr.store.card_deletions import CardDeletion, CardDeletions, DeletionStatus
from ivr.store.confirmation_numbers import Draw, at_random, from_reference
from ivr.store.database import CONNECTIONS, Database, most_money
from ivr.store.dues import AgreedBill
from ivr.store.flow_requests import FlowChange, FlowRequest, FlowRequests, SavedDraft, WantedFlow
from ivr.store.following import FollowUp, notices_of
from ivr.store.guesses import Guess, Guesses, GuessLimits, GuessLock
from ivr.store.intent_bills import IntentBill
from ivr.store.intents import (
    FINAL,
    FOLLOWS,
    Accepted,
    AlreadyBegun,
    BankWord,
    BeingPaid,
    Due,
    DueChanged,
    DueNow,
    Payment,
    PaymentIntent,
    Status,
    bills_of,
    require_true_amount,
)
from ivr.store.kept_cards import BY_CALLER, KEPT_CARD, KEPT_TOLD, KeptCard, KeptCards
from ivr.store.ledger import Ledger, NoCard, sum_changed
from ivr.store.limits import Attempter, AttemptLimits, CountedAttempts, Limit, LimitChecks, OverLimit
from ivr.store.merchant_notices import MerchantNotice, MerchantNotices, tell_refund
from ivr.store.migrations import create_tables, migrate, named_database, require_current
from ivr.store.modification_rows import (
    AlreadyAsked,
    Balance,
    Changed,
    Modification,
    ModificationState,
    ModificationWord,
    WantedModification,
)
from ivr.store.modifications import WITHOUT_OUTCOME, Modifications, Settled
from ivr.store.movements import Movement, MovementKind, Movements
from ivr.store.new_jobs import NewJobs
from ivr.store.notice_bodies import NOTICE_KINDS
from ivr.store.notices import Notice, NoticeRows
from ivr.store.number_keys import NumberKey, NumberKeys, register_key
from ivr.store.outbox import ANY, EMAILS, MERCHANT_NOTICES, NOTICES, TEXTS, TOLD_AGAIN, Job, Outbox, Which, bank_queue
from ivr.store.payment_search import PaymentFilter, PaymentSearch
from ivr.store.persons import Person, PersonBusy, PersonForgotten, Persons
from ivr.store.portal_requests import PortalRequest, PortalRequests
from ivr.store.portal_sessions import Failures, PortalSessions, SessionEnds, SignedIn
from ivr.store.portal_tokens import PortalToken, PortalTokens, RememberedAnswer, TokenHolder
from ivr.store.portal_users import (
    Passkey,
    PasswordCredentials,
    PortalInvitation,
    PortalUser,
    PortalUsers,
    SignInWay,
    UserState,
)
from ivr.store.remembered import RememberedCallers
from ivr.store.reservations import ReservationState, reservation_state
from ivr.store.retention import FORGOTTEN, KeptKind, KeptSoFar, Retention
from ivr.store.sealed import SealedField, SealedFields
from ivr.store.splits import Splits
from ivr.store.stops import LONGEST_REASON, STOP_SCOPES, Stop, Stopped, Stops, StopScope
from ivr.store.stories import LedgerEntry, SealedSize, Stories
from ivr.store.texts import TextMessage, TextProblem, Texts, Way
from ivr.store.turns import TurnRecord
from ivr.store.versions import WITHDRAWN, Draft, FlowVersion, FlowVersions, LiveVersion, OtherLiveError
from ivr.store.ways import Ways, WaysTaken


class Store(
    BankNewsBook,
    Persons,
    CallSearch,
    SealedFields,
    LimitChecks,
    Guesses,
    Ledger,
    KeptCards,
    CardDeletions,
    RememberedCallers,
    Modifications,
    Movements,
    AccountBalances,
    BookCheck,
    Splits,
    PaymentSearch,
    Outbox,
    NewJobs,
    BillRows,
    NoticeRows,
    MerchantNotices,
    Texts,
    Audit,
    Stories,
    Ways,
    FlowVersions,
    Agreements,
    Announcements,
    Stops,
    PortalUsers,
    PortalSessions,
    PortalRequests,
    FlowRequests,
    PortalTokens,
    Alerts,
    AlertFigures,
    NumberKeys,
    Retention,
):
    """One database's whole store; thread-safe."""

    def __init__(self, database: Database, draw: Draw = at_random) -> None:
        """`draw`: where confirmation numbers come from."""
        self._database, self._draw = database, draw

    def ping(self) -> None:
        """Raises what the driver raises where the database does not answer."""
        self._database.ping()

    def close(self) -> None:
        self._database.close()


def open_store(
    url: str, threads: int = CONNECTIONS, tells: Collection[str] = (), numbers: NumberSeals | None = None
) -> Store:
    """ConfigError for a URL that is none, and for a database that has not been migrated to this version.

    `threads`: how many use it at once; each needs a connection of its own. `tells`: the kinds of notice that the merchant's
    own systems want (`calls.notice_settings`). `numbers`: who opens it without these reads no caller's number, and must write none.
    """
    database = Database(url, threads, tells, numbers)
    require_current(database)
    if numbers is not None:
        register_key(database, numbers)
    return Store(database)


def memory_store() -> Store:
    """A store that lives as long as the process: for simulated calls and tests. The same call has the same numbers in it."""
    database = Database("sqlite://")
    _empty_tables().copy_into(database)
    return Store(database, from_reference)


@cache
def _empty_tables() -> Database:
    """Made once: copying them takes 0.1 ms, making them 15."""
    database = Database("sqlite://")
    create_tables(database)
    return database


__all__ = [
    "ALL_FLOWS",
    "ANY",
    "BY_CALLER",
    "EMAILS",
    "FINAL",
    "FOLLOWS",
    "FORGOTTEN",
    "KEPT_CARD",
    "KEPT_TOLD",
    "LONGEST_REASON",
    "MERCHANT_NOTICES",
    "NOTICES",
    "NOTICE_KINDS",
    "NUMBER_KEY_BYTES",
    "STOP_SCOPES",
    "TEXTS",
    "TOLD_AGAIN",
    "UNDO_ASKED",
    "WITHDRAWN",
    "WITHOUT_OUTCOME",
    "Accepted",
    "AccountBalance",
    "AgreedBill",
    "Agreement",
    "Alert",
    "AlertReceivers",
    "AlreadyAsked",
    "AlreadyBegun",
    "Announcement",
    "AttemptLimits",
    "Attempter",
    "AuditEvent",
    "AuditFilter",
    "AuditHead",
    "Balance",
    "BankFigures",
    "BankWord",
    "BeingPaid",
    "Bill",
    "BookFault",
    "BrokenEvent",
    "CallFilter",
    "CallRecord",
    "CardDeletion",
    "Changed",
    "CountedAttempts",
    "DatabaseError",
    "DeclinedCards",
    "DeletionStatus",
    "Draft",
    "Draw",
    "Due",
    "DueChanged",
    "DueNow",
    "Failures",
    "FlowChange",
    "FlowRequest",
    "FlowVersion",
    "FollowUp",
    "FoundAlert",
    "Guess",
    "GuessLimits",
    "GuessLock",
    "IntentBill",
    "Job",
    "KeptCard",
    "KeptKind",
    "KeptSoFar",
    "LedgerEntry",
    "Limit",
    "LiveCall",
    "LiveVersion",
    "MerchantNotice",
    "Modification",
    "ModificationState",
    "ModificationWord",
    "Movement",
    "MovementKind",
    "News",
    "NoCard",
    "Notice",
    "NumberKey",
    "NumberSeals",
    "OtherLiveError",
    "OverLimit",
    "PaidOnBill",
    "PaidSoFar",
    "Passkey",
    "PasswordCredentials",
    "Payment",
    "PaymentFilter",
    "PaymentIntent",
    "Person",
    "PersonBusy",
    "PersonForgotten",
    "PortalInvitation",
    "PortalRequest",
    "PortalToken",
    "PortalUser",
    "PromptTime",
    "RememberedAnswer",
    "Renewal",
    "ReservationState",
    "SavedDraft",
    "SealedField",
    "SealedSize",
    "SessionEnds",
    "Settled",
    "SignInWay",
    "SignedIn",
    "StaleCall",
    "Status",
    "Stop",
    "StopScope",
    "Stopped",
    "Store",
    "StoredCall",
    "TextMessage",
    "TextProblem",
    "TokenHolder",
    "TooEarly",
    "TurnRecord",
    "UserState",
    "WantedFlow",
    "WantedModification",
    "Way",
    "WaysTaken",
    "Which",
    "bank_queue",
    "bills_of",
    "from_reference",
    "hash_of_caller",
    "memory_store",
    "migrate",
    "most_money",
    "named_database",
    "notices_of",
    "number_key_id",
    "open_store",
    "read_bills",
    "require_true_amount",
    "reservation_state",
    "sum_changed",
    "tell_refund",
]
