"""The kinds of difference between a bank's file and our ledger: what each is, its likely cause, and what to do about it."""

from dataclasses import dataclass

from ivr.places import COMMAND


@dataclass(frozen=True)
class Cause:
    """`is_open`: somebody has to do something; otherwise it is told and agrees in time."""

    title: str
    likely: str
    cure: str
    is_open: bool = True


CAUSES = {
    "not_at_the_bank": Cause(
        "charged here, not in the bank's file",
        "a capture that failed, a file of another merchant account or of another day, or a charge that the bank undid",
        f"`{COMMAND} payments show REF`, then ask the bank by the reference; never charge again before it has answered",
    ),
    "not_at_the_bank_yet": Cause(
        "charged here on the last day, not in the bank's file yet",
        "banks settle the last hours of a day in the next file",
        "look into the next file",
        is_open=False,
    ),
    "not_on_record": Cause(
        "in the bank's file, not on record here",
        "a charge of another till of this merchant account, or of another database",
        "find whose it is at the bank; where it is nobody's, refund it there",
    ),
    "not_charged_here": Cause(
        "charged at the bank, not here",
        "the bank booked a charge that it had told to be declined or undone",
        "the caller was told that nothing was charged: refund it at the bank, and ask the bank why",
    ),
    "unknown_here": Cause(
        "charged at the bank, without a final answer here",
        "the bank's answer was lost; the forwarder goes on asking",
        f"see that a forwarder runs; `{COMMAND} payments show REF` says when the answer has come",
    ),
    "charged_twice": Cause(
        "charged more than once at the bank",
        "the same payment was booked again at the bank",
        "have the bank undo all but one: it got one request with one idempotency key",
    ),
    "charged_although_voided": Cause(
        "voided here, charged at the bank",
        "the void came after the bank had settled",
        f"refund it: `{COMMAND} payments refund REF`, or at the bank where it says that nothing is left",
    ),
    "amount_differs": Cause(
        "another amount at the bank",
        "a part was captured, or somebody changed the amount at the bank",
        f"`{COMMAND} payments show REF`; the caller consented to our amount: correct the bank's",
    ),
    "currency_differs": Cause(
        "another currency at the bank",
        "the account settles in another currency, and the form reads the column of settled amounts",
        "read the column of the charge's own currency (gross, not net) in the form",
    ),
    "voided_at_the_bank": Cause(
        "voided at the bank, not here",
        "somebody let go of it in the bank's own portal, or the bank undid it",
        f"`{COMMAND} payments show REF`; what it paid is not paid: ask the bank who did it before you collect it again",
    ),
    "only_reserved_here": Cause(
        "only reserved here, charged at the bank",
        "somebody captured it in the bank's own portal, or a capture has no answer yet",
        f"`{COMMAND} payments show REF`; where a capture waits there, `{COMMAND} payments settle` ends it by the bank's word",
    ),
    "refund_missing": Cause(
        "refunded here, not in the bank's file",
        "refunds are settled days later, or have failed at the bank",
        f"look into the next file; `{COMMAND} payments show REF` names the refund by which the bank finds it",
    ),
    "refund_not_at_the_bank_yet": Cause(
        "refunded here on the last day, not in the bank's file yet",
        "banks settle the last hours of a day in the next file",
        "look into the next file",
        is_open=False,
    ),
    "refund_came_back_here": Cause(
        "a refund that came back here, not in the bank's file",
        "the bank told that the refund failed, and has not paid it back to you",
        f"look into the next file; then ask the bank for the amount by the reference of `{COMMAND} payments show REF`",
    ),
    "refund_came_back_there": Cause(
        "a refund that came back at the bank, not here",
        "the bank's notification of it was lost: are notifications delivered?",
        f"`{COMMAND} payments show REF` names the refund: its money is with you again, and the caller has not got it",
    ),
    "refund_not_ours": Cause(
        "refunded at the bank, not here",
        "somebody refunded in the bank's own portal",
        "note it there as yours; what can be refunded here does not know of it",
    ),
    "charged_back": Cause(
        "charged back",
        "the cardholder disputes the charge",
        f"answer the bank in its time; the evidence is in `{COMMAND} payments show REF` and the call's trace",
    ),
    "kind_not_known": Cause(
        "a kind of row that the form does not name",
        "the bank has a new kind of row",
        "name it in the form, under `ignored` where it moves no charge's money",
    ),
    "at_another_bank": Cause(
        "in this bank's file, charged at another bank here",
        "a file of several banks, or of another bank than --bank names",
        "compare each bank with its own file; where the file is this bank's alone, ask it by the reference",
    ),
    "long_before": Cause(
        "of a charge from long before the file",
        "banks settle some charges months later",
        "nothing: it agrees with our charge",
        is_open=False,
    ),
}
