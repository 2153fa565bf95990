"""Adyen's answer to "delete this token": 204 without content, or an error by which it has none.

`DELETE /storedPaymentMethods/{storedPaymentMethodId}` with `shopperReference` and `merchantAccount` in the query.
"""

from urllib.parse import quote, urlencode

from ivr.bank.adyen.answers import LONGEST_CODE, REFUSED_REQUEST
from ivr.bank.adyen.kept_cards import parts_of
from ivr.bank.https import read_json
from ivr.bank.interface import BankAnswer, Outcome

DELETED = 204
# "Contract not found" and "PaymentDetail not found": a shopper of whom Adyen keeps no card, or not that one (any more).
NOT_KEPT = frozenset({"800", "803"})


def deletion_path(kept: str, account: str) -> str | None:
    """None where the token is not one of Adyen's."""
    shopper, token = parts_of(kept)
    if not token:
        return None
    query = urlencode({"shopperReference": shopper, "merchantAccount": account})
    return f"/storedPaymentMethods/{quote(token, safe='')}?{query}"


def read_deletion(key: str, status: int, content: bytes) -> BankAnswer:
    """A refusal of who asks (401, 403) says nothing of the token; a status alone could come from any box in between, except for 204,
    which has nothing else to say."""
    if status == DELETED and not content:
        return BankAnswer("done", key)
    code = str(read_json(content).get("errorCode", ""))[:LONGEST_CODE]
    if code in NOT_KEPT:
        return BankAnswer("done", key, reason="Adyen keeps no such card")
    outcome: Outcome = "not_sent" if status in REFUSED_REQUEST and code else "unknown"
    return BankAnswer(outcome, key, reason=f"status {status}, error {code or 'none'}")
