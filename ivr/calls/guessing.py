"""Look-ups that take a second answer are counted over calls, and held back where too many were wrong; what counts is the store's."""

import hashlib
import hmac
from datetime import datetime

from ivr.core.actions import LookUp
from ivr.core.call import Call
from ivr.core.events import Event, LookedUp, LookUpFailed
from ivr.flow.schema import Limits
from ivr.store import Guess, GuessLimits, Limit, Store


def guess_of(call: Call, asked: LookUp, ani_hash: str, key: bytes) -> Guess | None:
    """None where nothing is guessed: the look-up takes one answer alone. `since` tells it from an earlier one of the call."""
    if not asked.others:
        return None
    return Guess(f"{call.id} {call.since}", call.id, account_hash(key, asked.key), ani_hash)


def account_hash(key: bytes, account: str) -> str:
    return hmac.new(key, f"guess\n{account}".encode(), hashlib.sha256).hexdigest()


def held_back(store: Store, guess: Guess, limits: Limits, at: datetime) -> LookUpFailed | None:
    lock = store.begin_guess(guess, guess_limits(limits), at)
    return LookUpFailed(at, lock) if lock else None


def learned(store: Store, guess: Guess, answer: Event | None) -> None:
    """What the billing system has said of it. What cannot be paid here was found all the same."""
    if isinstance(answer, LookUpFailed):
        store.end_guess(guess.id, answer.at, is_right=answer.problem == "not_payable")
    elif isinstance(answer, LookedUp) and answer.found:
        store.end_guess(guess.id, answer.at, is_right=True)


def guess_limits(written: Limits) -> GuessLimits:
    caller, account = written.guesses_per_caller, written.guesses_per_account
    return GuessLimits(Limit(caller.count, caller.window_s), Limit(account.count, account.window_s))
