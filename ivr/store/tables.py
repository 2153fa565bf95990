"""The tables, as SQLAlchemy Core sees them; how they came to be is in `migrations/`. Times are milliseconds of the epoch."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
    true,
)

metadata = MetaData()

# Kinds of entries of the ledger that always move money between accounts.
MOVES = (
    *("requested", "unknown", "approved", "declined", "reversed", "not_sent", "refunded", "voided", "refunded_at_bank"),
    *("part_counted", "part_undone"),
)

# One row a call: the core's state as JSON, the last answer for a repeated delivery, a version for optimistic locking.
call = Table(
    "call",
    metadata,
    Column("id", String(80), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("flow", String(60), nullable=False),
    Column("is_over", Boolean, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("way", Text),  # once it is over: the steps it left (`core.moves`); NULL where that was not noted
    Column("outcome", String(10)),  # once it is over; NULL where that cannot be read
    Column("caller_end", String(3), nullable=False, server_default=""),  # of the caller's number, what people are shown
    # The caller's number, sealed (`store.caller_numbers`), and the hash by which it is found: empty where it was withheld or is
    # forgotten, NULL where it was written in clear by a version or a process that does not seal.
    Column("caller", Text),
    Column("caller_hash", String(64)),
    # Audio packets of the caller that came and that never did; NULL where another carries the audio, or nothing was told yet.
    Column("line_came", BigInteger),
    Column("line_lost", BigInteger),
    Index("call_by_caller", "caller_hash", "started_at"),
    # All that calls of a day are searched by is in it (`store.call_search`): only the rows that are shown are read.
    Index("call_by_day", "started_at", "flow", "outcome", "caller_end"),
    # All that is asked of many calls at once is in it, in the order in which it is counted: their rows are not read.
    Index("call_by_flow", "flow", "way", "started_at"),
    # Of the few calls that go on, and of no time: a call's own saves leave it as it is.
    Index("live_call", "id", sqlite_where=text("is_over = 0"), postgresql_where=text("NOT is_over")),
)

# What happened in it, turn by turn, for people: names of steps and prompts, no key and no amount.
call_turn = Table(
    "call_turn",
    metadata,
    Column("call", String(80), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("came", String(60), nullable=False),
    Column("step", String(60), nullable=False),
    Column("phase", String(20), nullable=False),
    Column("said", Text, nullable=False),
    Column("took_ms", Integer, nullable=False),
)

# A look-up that takes a second answer, such as a PIN (`store.guesses`); account and caller are keyed hashes.
guess = Table(
    "guess",
    metadata,
    Column("id", String(160), primary_key=True),
    Column("call", String(80), nullable=False),
    Column("account", String(64), nullable=False),
    Column("ani_hash", String(64), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("is_right", Boolean, nullable=False, server_default=false()),
    Index("guess_by_account", "account", "at"),
    Index("guess_by_caller", "ani_hash", "at"),
)

# Sealed at first touch, deleted on every final answer: the only rows that ever hold a card, and only the bank can read it.
sealed_field = Table(
    "sealed_field",
    metadata,
    Column("intent", String(100), primary_key=True),
    Column("field", String(20), primary_key=True),
    Column("jwe", Text, nullable=False),
    Column("fingerprint", String(64)),
    Column("bin_tag", String(16)),
    Column("at", BigInteger, nullable=False),
)

payment_intent = Table(
    "payment_intent",
    metadata,
    Column("reference", String(100), primary_key=True),
    Column("idempotency_key", String(100), nullable=False, unique=True),
    Column("merchant", String(40), nullable=False),
    Column("call", String(80), nullable=False, index=True),
    Column("bank", String(60), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("account", String(32), nullable=False),
    Column("card_summary", String(40), nullable=False),
    Column("ani_hash", String(64), nullable=False),
    Column("card_fingerprint", String(64), nullable=False),
    Column("status", String(20), nullable=False),
    Column("confirmation_number", String(40)),  # ours: what the caller hears, and an operator finds the charge by
    Column("authorization_code", String(40)),  # the bank's (ISO 8583 field 38)
    Column("response_code", String(4)),
    Column("created_at", BigInteger, nullable=False),
    # What is paid for; both are empty in a flow that looks nothing up.
    Column("payable_source", String(60), nullable=False, server_default=""),
    Column("payable_key", String(60), nullable=False, server_default=""),
    Column("line", String(120), nullable=False, server_default=""),  # flow and called number
    Column("is_counted", Boolean, nullable=False, server_default=true()),  # against limits; an operator may take it out
    Column("bank_reference", String(40)),  # the bank's own, by which an approved charge is captured
    Column("acknowledged_at", BigInteger),  # when a billing system of the merchant's said that it knows of it
    # The part of the amount that is charged for the card, and credited to nothing.
    Column("fee_minor", BigInteger, nullable=False, server_default="0"),
    Column("bank_trace", String(80)),  # what the bank finds the request by beside our reference; its protocol wrote it
    Column("traced_at", BigInteger),  # when that was written: before the request could leave
    # A bill paid with several cards: where this part stands (`store.splits`), the reference of the first part, what all are to
    # come to, whether the bank may approve less than is asked for, what was asked for where it did, and what its approval
    # leaves behind once all are there.
    Column("part", String(10), nullable=False, server_default=""),
    Column("split", String(100), nullable=False, server_default=""),
    Column("split_minor", BigInteger),
    Column("takes_part", Boolean, nullable=False, server_default=false()),
    Column("asked_minor", BigInteger),
    Column("waiting", String(20), nullable=False, server_default=""),
    Index("intent_by_split", "split"),
    Column(
        "captures_later", Boolean, nullable=False, server_default=false()
    ),  # reserved only: a capture takes the money
    Column(
        "keeps_card", Boolean, nullable=False, server_default=false()
    ),  # the bank is to keep the card, as was agreed
    # A keyed hash of the block that the caller's number is of (`core.caller`); empty for a caller without a number.
    Column("ani_block", String(64), nullable=False, server_default=""),
    # A short keyed hash of the card's first digits (`vault.intake`): by it cards that begin alike are counted.
    Column("card_bin_tag", String(16), nullable=False, server_default=""),
    Index("intent_by_caller", "ani_hash", "created_at"),
    Index("intent_by_card", "card_fingerprint", "created_at"),
    Index("intent_by_payable", "payable_source", "payable_key", "created_at"),
    Index("intent_by_line", "line", "created_at"),
    Index("intent_by_confirmation", "confirmation_number", unique=True),
    Index("intent_by_time", "created_at"),
    # What a bank tells of a token names the charge by its own reference.
    Index("intent_by_token", "bank_reference", sqlite_where=text("keeps_card"), postgresql_where=text("keeps_card")),
)

# The bills of a charge that pays several in one sum; one that pays a single bill has none. `id`, the charge's reference and its
# number, names what a billing system is told of it; `acknowledged_at` is when that said that it knows of it.
intent_bill = Table(
    "intent_bill",
    metadata,
    Column("id", String(120), primary_key=True),
    Column("reference", String(100), nullable=False, index=True),
    Column("number", Integer, nullable=False),
    Column("payable_source", String(60), nullable=False),
    Column("payable_key", String(60), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("acknowledged_at", BigInteger),
    Index("intent_bill_by_payable", "payable_source", "payable_key"),
)

# A card that the bank keeps: what stands for it there, which is good for charges of this merchant alone. One for each thing
# that is paid for. `consent`: the agreement by which its caller allowed it.
kept_card = Table(
    "kept_card",
    metadata,
    Column("source", String(60), primary_key=True),
    Column("key", String(60), primary_key=True),
    Column("bank", String(60), nullable=False),
    Column("token", Text, nullable=False),
    Column("brand", String(20), nullable=False),
    Column("last4", String(4), nullable=False),
    Column("expires", String(7), nullable=False),  # 2030-12, as the bank says; empty where it does not
    Column("fingerprint", String(64), nullable=False),
    Column("consent", String(120), nullable=False),
    Column("kept_at", BigInteger, nullable=False),
    Column("merchant", String(60), nullable=False, server_default=""),
    Column("intent", String(120), nullable=False, server_default=""),  # of the charge that it was kept with
)

# A card that was forgotten here: its token, until its bank has deleted that too, and what became of it.
card_deletion = Table(
    "card_deletion",
    metadata,
    Column("id", String(120), primary_key=True),
    Column("source", String(60), nullable=False),
    Column("key", String(60), nullable=False),
    Column("bank", String(60), nullable=False),
    Column("merchant", String(60), nullable=False),
    Column("token", Text, nullable=False),  # empty once it is deleted
    Column("brand", String(20), nullable=False),
    Column("last4", String(4), nullable=False),
    Column("asked_by", String(60), nullable=False),
    Column("asked_at", BigInteger, nullable=False),
    Column("status", String(10), nullable=False),
    Column("reason", String(120), nullable=False),
    Column("ended_at", BigInteger),
    Index("card_deletion_by_key", "key"),
)

# What happened to money, in order; rows are added, never changed (a trigger refuses it). `modification`: the number of the
# refund, void or capture that the entry is about; 0 for the charge itself. `last_line`: of its transfers; an entry that
# moves money has some when its transaction ends, or the database refuses it (the key to them is deferred).
ledger_entry = Table(
    "ledger_entry",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("reference", String(100), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("response_code", String(4)),
    Column("at", BigInteger, nullable=False),
    Column("modification", Integer, nullable=False, server_default="0"),
    Column("last_line", Integer),
    UniqueConstraint("reference", "kind", "modification", name="one_entry_of_a_kind"),
    CheckConstraint(
        f"last_line IS NOT NULL OR kind NOT IN ({', '.join(map(repr, MOVES))})", name="entries_that_move_have_transfers"
    ),
    ForeignKeyConstraint(
        *(["id", "last_line"], ["transfer.entry", "transfer.line"], "last_transfer_of_an_entry"),
        deferrable=True,
        initially="DEFERRED",
        use_alter=True,
    ),
)

# Double entry (`store.postings`): each row moves an amount from the account that it credits to the one that it debits, so that
# all accounts together come to nothing whatever rows there are. Added with its entry, never changed (a trigger refuses it).
transfer = Table(
    "transfer",
    metadata,
    Column("entry", Integer, ForeignKey("ledger_entry.id"), primary_key=True, autoincrement=False),
    Column("line", Integer, primary_key=True, autoincrement=False),
    Column("debit_account", String(140), nullable=False),
    Column("credit_account", String(140), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("at", BigInteger, nullable=False),
    CheckConstraint("amount_minor > 0", name="transfer_of_more_than_nothing"),
    CheckConstraint("debit_account <> credit_account", name="transfer_between_two_accounts"),
    sqlite_with_rowid=False,
)

# What was asked for an approved charge: a refund, void or capture, and where it stands. `id` is its idempotency key: the
# charge's reference and its number. `left_minor`: what could be refunded when it was asked for, without it.
modification = Table(
    "modification",
    metadata,
    Column("id", String(120), primary_key=True),
    Column("reference", String(100), nullable=False),
    Column("number", Integer, nullable=False),
    Column("kind", String(10), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("left_minor", BigInteger, nullable=False),
    Column("status", String(10), nullable=False),
    Column("asked_by", String(80), nullable=False),
    Column("asked_at", BigInteger, nullable=False),
    Column("reopens_bill", Boolean, nullable=False),
    Column("bank_reference", String(40)),
    Column("response_code", String(4)),
    Column("reason", String(120)),
    UniqueConstraint("reference", "number", name="one_modification_of_a_number"),
    Index("modification_by_bank_reference", "bank_reference"),
    Index("modification_by_status", "status"),
)

# What banks have told by themselves, so that the second telling of it changes nothing.
bank_news = Table(
    "bank_news",
    metadata,
    Column("bank", String(60), primary_key=True),
    Column("event", String(120), primary_key=True),
    Column("at", BigInteger, nullable=False),
)

# The latest of the numbers by which the requests to a bank are counted, over all forwarders.
bank_number = Table(
    "bank_number",
    metadata,
    Column("bank", String(60), primary_key=True),
    Column("number", BigInteger, nullable=False),
)

# Work for the forwarder: leased by `leased_until`, fenced by `fence`, which moves with every lease. `queue`: a bank's, or
# that of texts or notices, each with workers of its own. `due_at` is 0 for at once.
outbox = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("kind", String(20), nullable=False),
    Column("reference", String(120), nullable=False),
    Column("queue", String(80), nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("leased_until", BigInteger, nullable=False),
    Column("fence", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("is_done", Boolean, nullable=False),
    UniqueConstraint("kind", "reference", name="one_job_of_a_kind"),
    Index("outbox_by_queue", "is_done", "queue", "due_at"),
)

bill = Table(
    "bill",
    metadata,
    Column("account", String(32), primary_key=True),
    Column("due_minor", BigInteger, nullable=False),
    Column("minimum_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column(
        "belongs_to", String(32), nullable=False, server_default=""
    ),  # the customer, of whom there may be several bills
    Column("details", Text, nullable=False, server_default=""),  # JSON: further columns of the file by name, as text
    Index("bill_by_customer", "belongs_to"),
)

# Texts, and receipts by e-mail. `state`: waiting, sent, kept (in development: shown on the page only) or refused; `problem`: why it was not sent, so far
# or for good. `tried_at`: when the latest attempt was answered.
text_message = Table(
    "text_message",
    metadata,
    Column("id", String(120), primary_key=True),
    Column("recipient", Text, nullable=False),  # the number or address, sealed (`store.caller_numbers`)
    Column("recipient_hash", String(64)),  # by which it is found; NULL: `recipient` is in clear
    Column("body", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("sent_at", BigInteger),
    Column("state", String(12), nullable=False),
    Column("problem", String(120)),
    Column("is_account_problem", Boolean, nullable=False),
    Column("tried_at", BigInteger),
    Column("way", String(8), nullable=False, server_default="text"),  # text, or email with a subject
    Column("subject", Text, nullable=False, server_default=""),
    Index("text_by_try", "tried_at"),
    Index("text_by_recipient", "recipient_hash", "at"),
)

# The keys that numbers are sealed with, by name: a node whose file lacks one of them is not one of this line's.
number_key = Table(
    "number_key",
    metadata,
    Column("id", String(8), primary_key=True),
    Column("since", BigInteger, nullable=False),
)

# What callers agreed to have remembered (`store.remembered`): `kept` is sealed with those keys, `consent` the agreement's
# reference, `at` the last call in which it was read or kept.
remembered_caller = Table(
    "remembered_caller",
    metadata,
    Column("id", String(130), primary_key=True),
    Column("caller_hash", String(64), nullable=False),
    Column("flow", String(60), nullable=False),
    Column("kept", Text, nullable=False),
    Column("consent", String(120), nullable=False),
    Column("at", BigInteger, nullable=False),
    Index("remembered_by_caller", "caller_hash"),
    Index("remembered_by_time", "at"),
)

# What the merchant's own systems are told of, each body as it was when it happened. `about`: a payment's reference, or a
# call. `state`: waiting, sent or failed. `gone_url`: the address that has answered that it wants no more.
merchant_notice = Table(
    "merchant_notice",
    metadata,
    Column("id", String(140), primary_key=True),
    Column("kind", String(30), nullable=False),
    Column("about", String(120), nullable=False),
    Column("body", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("state", String(12), nullable=False),
    Column("problem", String(120)),
    Column("tried_at", BigInteger),
    Column("gone_url", Text),
    Index("merchant_notice_by_state", "state", "at"),
)

# Who did what; each row's digest covers the row before it.
audit_event = Table(
    "audit_event",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("who", String(80), nullable=False),
    Column("what", String(80), nullable=False),
    Column("about", String(200), nullable=False),
    Column("digest", String(64), nullable=False),
)

# What a flow's calls run on: its text, the prompts it speaks (JSON: language, name, text) and the parts it uses, under a
# digest of all of them.
# `moved_to`: the digest of the version that open calls of this one go on with, where they can.
flow_version = Table(
    "flow_version",
    metadata,
    Column("flow", String(60), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("digest", String(64), nullable=False, unique=True),
    Column("text", Text, nullable=False),
    Column("prompts", Text, nullable=False),
    Column("published_at", BigInteger, nullable=False),
    Column("published_by", String(80), nullable=False),
    Column("live_turn", Integer, nullable=False),  # the flow's turn in which it last became the live version
    Column("moved_to", String(64)),
    Column("parts", Text, nullable=False, server_default="{}"),  # the texts of the parts it uses (JSON: name, text)
)

# The version that new calls of a flow begin on; `number` is 0 where the flow was withdrawn. `turn` is one higher with
# every change, of what is live and of which calls are moved: by it a process sees that something is new.
live_flow = Table(
    "live_flow",
    metadata,
    Column("flow", String(60), primary_key=True),
    Column("number", Integer, nullable=False),
    Column("turn", Integer, nullable=False),
)

# What callers agreed to besides charges: a promise, plan or mandate, with the words that they heard. Never changed, but for
# when the billing system said that it knows of it.
agreement = Table(
    "agreement",
    metadata,
    Column("reference", String(120), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("subject", String(60), nullable=False),
    Column("merchant", String(40), nullable=False),
    Column("call", String(80), nullable=False, index=True),
    Column("flow", String(60), nullable=False),
    Column("flow_version", String(64), nullable=False),
    Column("account", String(60), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("terms", Text, nullable=False),  # JSON: name, text
    Column("wording", Text, nullable=False),
    Column("language", String(20), nullable=False),
    Column("key_pressed", String(1), nullable=False),
    Column("at", BigInteger, nullable=False, index=True),
    Column("acknowledged_at", BigInteger),
)
# What every new call is told first; `flow` is empty for all flows. One row a language, all with the same rest.
announcement = Table(
    "announcement",
    metadata,
    Column("flow", String(60), primary_key=True),
    Column("language", String(35), primary_key=True),
    Column("text", Text, nullable=False),
    Column("ends_calls", Boolean, nullable=False),
    Column("set_at", BigInteger, nullable=False),
)

# What takes no cards for now (`store.stops`): `scope` is line, flow or bank; `name` is empty for the whole line.
charge_stop = Table(
    "charge_stop",
    metadata,
    Column("scope", String(10), primary_key=True),
    Column("name", String(60), primary_key=True),
    Column("reason", Text, nullable=False),
    Column("stopped_by", String(80), nullable=False),
    Column("stopped_at", BigInteger, nullable=False),
)

# Who signs in to the portal. `invitation` is the digest of the link's secret, empty once it was used; `totp_sealed` the
# secret of the codes by time, encrypted; `totp_step` the last code's step, so that no code is good twice;
# `identity` is what the identity provider calls them, empty where single sign-on is not for them.
portal_user = Table(
    "portal_user",
    metadata,
    Column("name", String(60), primary_key=True),
    Column("role", String(20), nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("totp_sealed", Text, nullable=False),
    Column("totp_step", BigInteger, nullable=False),
    Column("invitation", String(64), nullable=False),
    Column("invited_until", BigInteger, nullable=False),
    Column("is_off", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("identity", String(200), nullable=False, server_default=""),
    Index("portal_user_by_identity", "identity"),
)
portal_recovery_code = Table(
    "portal_recovery_code",
    metadata,
    Column("user", String(60), ForeignKey("portal_user.name"), primary_key=True),
    Column("digest", String(64), primary_key=True),
)
# `id` and `public_key` in base64url, as WebAuthn has them; `sign_count` goes up with every use of an authenticator that counts.
portal_passkey = Table(
    "portal_passkey",
    metadata,
    Column("id", String(1400), primary_key=True),
    Column("user", String(60), ForeignKey("portal_user.name"), nullable=False),
    Column("public_key", Text, nullable=False),
    Column("sign_count", BigInteger, nullable=False),
    Column("added_at", BigInteger, nullable=False),
    Index("portal_passkey_by_user", "user"),
)
# By the digest of the cookie: who reads the database signs in as nobody.
portal_session = Table(
    "portal_session",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("user", String(60), ForeignKey("portal_user.name"), nullable=False),
    Column("begun_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Index("portal_session_by_user", "user"),
)
# Challenges of passkeys that wait for their answer: each is good once.
portal_challenge = Table(
    "portal_challenge",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("until", BigInteger, nullable=False),
)
# Attempts to sign in that failed; `kind` is `password`, or `code` where the password was right.
portal_failure = Table(
    "portal_failure",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("user", String(60), nullable=False),
    Column("source", String(60), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("at", BigInteger, nullable=False),
    Index("portal_failure_by_time", "at"),
)
# Refunds and voids that a second person must allow: `status` is `waiting`, `allowed` or `refused`.
portal_request = Table(
    "portal_request",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("reference", String(120), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("left_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("reopens_bill", Boolean, nullable=False),
    Column("asked_by", String(60), nullable=False),
    Column("asked_at", BigInteger, nullable=False),
    Column("status", String(10), nullable=False),
    Column("decided_by", String(60), nullable=False),
    Column("decided_at", BigInteger),
    Index("portal_request_by_status", "status", "asked_at"),
)
# What is wrong with a line (`store.alerts`): once while it lasts. `scope`: the machine that finds it, empty for what is in the
# database; `seen_at`: when it was found last.
alert = Table(
    "alert",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("kind", String(30), nullable=False),
    Column("about", String(120), nullable=False),
    Column("scope", String(80), nullable=False),
    Column("words", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Index("alert_by_end", "ended_at", "kind", "about"),
)
# Of the portal's API: known by the digest of the secret alone, for one user, and never more than that user may.
portal_token = Table(
    "portal_token",
    metadata,
    Column("id", String(20), primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("name", String(60), nullable=False),
    Column("user", String(60), ForeignKey("portal_user.name"), nullable=False),
    Column("role", String(20), nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("seen_at", BigInteger),
    Column("is_revoked", Boolean, nullable=False),
    Index("portal_token_by_user", "user"),
)
# What was answered under an idempotency key; `status` is 0 until it was. `looked_at`: what could be refunded when the request
# first came, so that the same request, made again after a process was killed, asks for the same.
portal_answer = Table(
    "portal_answer",
    metadata,
    Column("user", String(60), ForeignKey("portal_user.name"), primary_key=True),
    Column("key_digest", String(64), primary_key=True),
    Column("request_digest", String(64), nullable=False),
    Column("looked_at", String(40), nullable=False),
    Column("status", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Index("portal_answer_by_time", "at"),
)
# What an author writes in the portal: `files` (JSON) as `calls.flow_drafts` has it; `base`: the version that was live when it was begun.
flow_draft = Table(
    "flow_draft",
    metadata,
    Column("flow", String(60), primary_key=True),
    Column("author", String(60), primary_key=True),
    Column("files", Text, nullable=False),
    Column("base", Integer, nullable=False),
    Column("saved_at", BigInteger, nullable=False),
)
# Publications and rollbacks of flows that a second author must allow. `number`: of a rollback, the version that is to be live;
# `base`: the one that was live when it was asked for; `digest`, `text`, `prompts`, `parts`: of a publication, as in `flow_version`.
flow_request = Table(
    "flow_request",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("flow", String(60), nullable=False),
    Column("number", Integer, nullable=False),
    Column("base", Integer, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("text", Text, nullable=False),
    Column("prompts", Text, nullable=False),
    Column("parts", Text, nullable=False),
    Column("asked_by", String(60), nullable=False),
    Column("asked_at", BigInteger, nullable=False),
    Column("status", String(10), nullable=False),
    Column("decided_by", String(60), nullable=False),
    Column("decided_at", BigInteger),
    Index("flow_request_by_status", "status", "asked_at"),
)
