"""A look at one bank before it is used: files, keys, secrets, connection, currencies, and a test card where that is safe."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from uuid import uuid4

from ivr.bank import (
    AuthorizationRequest,
    BankSettings,
    CardNotOpened,
    Examined,
    OpenCard,
    Opening,
    open_bank,
    protocol_called,
)
from ivr.bank.terms import said_end
from ivr.calls.bank_keys import KeyEnd, ends_of, form_of, key_files, terms_of
from ivr.core.brands import BRAND_NAMES
from ivr.core.money import Money
from ivr.errors import ConfigError
from ivr.vault import CardRules, SealContext, Vault

# Adyen's and everybody's test card: no issuer has given it to anybody.
TEST_CARD = {"card_number": b"4111111111111111", "expiry": b"0330", "security_code": b"737"}
NO_FINGERPRINT = bytes(32)
# With a wrong key, say, the bank refuses the card too, and that would be told as a fault of its own.
AFTER_THAT = "no test card is sent before what is wrong above is mended"


MakeOpener = Callable[[BankSettings], OpenCard | None]


def check_bank(
    name: str, settings: BankSettings, environ: Mapping[str, str], opener_for: MakeOpener = lambda bank: None
) -> Iterator[Examined]:
    """Never a charge. ConfigError is a finding too. `opener_for`: the forwarder's, for banks that want cards in clear."""
    protocol = protocol_called(settings.protocol)
    try:
        opening = Opening(name, settings, environ, opener_for(settings))
        vault = Vault(key_files(settings), NO_FINGERPRINT, form_of(settings))
        assert vault.ring is not None
        reference, now = f"check.{uuid4().hex}", datetime.now(UTC)
        sealed = seal_test_card(vault, reference)
        yield Examined(True, f"{vault.ring.at(now).file}: a test field can be sealed to it")
        for end in ends_of(name, terms_of(settings, vault.ring), now):
            yield said_of_end(end, now)
        if opening.open_card is not None:
            yield open_again(opening.open_card, reference, sealed)
        is_wrong = False
        for found in protocol.examine(opening):
            is_wrong |= found.is_good is False
            yield found
        if "card verification" in protocol.promises.operations:
            yield Examined(None, AFTER_THAT) if is_wrong else verify(opening, reference, sealed)
    except ConfigError as error:
        yield Examined(False, str(error))


def said_of_end(end: KeyEnd, now: datetime) -> Examined:
    if end.is_alarming(now) or end.ends is None:
        return Examined(False, end.told(now))
    return Examined(True, f"the {end.what} is good until {said_end(end.ends)}")


def seal_test_card(vault: Vault, reference: str) -> dict[str, str]:
    now = datetime.now(UTC)
    context, rules = SealContext("check", "check", reference), CardRules(BRAND_NAMES, "visa")
    taken = {field: vault.take(field, bytearray(keys), context, rules, now) for field, keys in TEST_CARD.items()}
    return {field: intake.sealed for field, intake in taken.items() if intake.sealed}


def open_again(open_card: OpenCard, reference: str, sealed: Mapping[str, str]) -> Examined:
    request = AuthorizationRequest(reference, reference, "check", "check", Money(0), sealed)
    try:
        with open_card(request):
            return Examined(True, "the forwarder opens a sealed test field")
    except CardNotOpened as error:
        return Examined(
            False, f"the forwarder cannot open a test field: {error}; opening_key must be sealing_key's own"
        )


def verify(opening: Opening, reference: str, sealed: Mapping[str, str]) -> Examined:
    """A card verification (no amount) of the test card shows whether the bank can open what is sealed to this key."""
    settings: BankSettings = opening.settings
    if protocol_called(settings.protocol).is_live(opening):
        return Examined(
            None, "no test card is sent to a live account: whether it opens our seals shows with the first payment"
        )
    currency = settings.currencies[0] if settings.currencies else "USD"
    request = AuthorizationRequest(reference, reference, "check", "check", Money(0, currency), sealed)
    answer = open_bank(opening.name, settings, opening.environ, opening.open_card).authorize(request)
    if answer.outcome in ("approved", "declined"):
        return Examined(True, f"the bank has opened a sealed test card ({answer.outcome}; nothing is charged)")
    cure = "is sealing_key that of this account, and of this test or live system?"
    return Examined(False, f"the bank cannot use a sealed test card: {answer.reason}; {cure}")
