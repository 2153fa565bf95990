"""Authorization requests with fields sealed by the real vault."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from uuid import uuid4

from ivr.bank import AuthorizationRequest
from ivr.core.brands import BRAND_NAMES
from ivr.core.money import Money
from ivr.vault import CardRules, SealContext, Vault

SEALED_AT = datetime(2026, 1, 15, tzinfo=UTC)
_numbers = count(1)


def sealed_fields(vault: Vault, context: SealContext, pan: str, expiry: str = "1230", **more: str) -> dict[str, str]:
    rules = CardRules(BRAND_NAMES)
    card = vault.take("card_number", bytearray(pan, "ascii"), context, rules, SEALED_AT)
    code = "1234" if card.brand == "amex" else "123"
    keyed = {"expiry": expiry, "security_code": code, "postal_code": "12345"} | more
    rules = replace(rules, brand_so_far=card.brand)
    sealed = {
        name: vault.take(name, bytearray(keys, "ascii"), context, rules, SEALED_AT).sealed
        for name, keys in keyed.items()
    }
    return {"card_number": card.sealed or "", **{name: value or "" for name, value in sealed.items()}}


def new_request(vault: Vault, pan: str = "4111111111111111", minor: int = 4250, **more: str) -> AuthorizationRequest:
    reference = f"CA{uuid4().hex}-{next(_numbers)}"
    context = SealContext("demo-merchant", f"call-of-{reference}", reference)
    sealed = sealed_fields(vault, context, pan, **more)
    return AuthorizationRequest(reference, f"key-{reference}", context.merchant, context.call, Money(minor), sealed)
