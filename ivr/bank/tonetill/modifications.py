"""Reads what the bank answers to a refund, void or capture: about our request, in the agreed form, or it is no answer."""

import json
from dataclasses import replace

from ivr.bank.interface import BankAnswer, ModificationRequest, Outcome
from ivr.bank.reasons import reason_in
from ivr.bank.tonetill.answers import read_answer

OUTCOMES: frozenset[Outcome] = frozenset({"done", "refused", "not_found", "unknown"})


def read_modification(request: ModificationRequest, status: int, content: bytes) -> BankAnswer:
    answer = read_answer(request.reference, status, content, OUTCOMES)
    if answer.outcome == "unknown":
        return answer
    said = json.loads(content)
    is_ours = said.get("idempotency_key") == request.idempotency_key
    if not is_ours or (answer.outcome != "not_found" and said.get("kind") != request.kind):
        return BankAnswer("unknown", request.reference, reason="an answer to something else")
    return replace(answer, reason=reason_in(said.get("reason"))) if answer.outcome == "refused" else answer
