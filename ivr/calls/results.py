"""What tells a caller, by text or by e-mail, how a charge ended which outlasted the call, in the call's own language."""

from collections.abc import Callable

from ivr.calls.receipts import DEFAULT_ZONE, receipt_values
from ivr.core.actions import Phrase
from ivr.core.call import Call
from ivr.core.money import Money
from ivr.store import Payment
from ivr.words.phrases import Prompts
from ivr.words.wordings import endings

NOT_PAID, NOT_RESERVED = "result_unpaid_sms", "result_not_reserved_sms"
RESULT_SUBJECT = "result_email_subject"
ResultText = Callable[[Call, Payment], str]


def result_words(
    prompts_of: Callable[[str], Prompts],
    merchant_name: str = "",
    zone_of_call: Callable[[Call], str] = lambda call: DEFAULT_ZONE,
) -> ResultText:
    """The words, which are the same either way. `prompts_of`: those of a version of a flow; of "", where a call has none, those of today. `merchant_name`: as receipts
    say it; `zone_of_call`: by whose clock they say the day."""

    def write(call: Call, payment: Payment) -> str:
        prompts = prompts_of(call.flow_version)
        known = prompts.languages()
        name = _prompt_of(payment)
        values = receipt_values(payment, call, merchant_name, zone_of_call(call))
        # The bank may have approved less than the caller agreed to, after they had gone: of that they know nothing.
        values = values if payment.is_charged else (*values, ("amount", _known_amount(call, payment)))
        # A call whose row another version wrote may have no language of ours.
        language = call.language if call.language in known else known[0]
        if name == NOT_RESERVED and name not in prompts.names(language):
            name = NOT_PAID  # a version of the flow from before there were words for it
        ends = endings("", again=False, fee=payment.intent.fee is not None)
        return prompts.words(Phrase(name, language, values, endings=ends))

    return write


def _prompt_of(payment: Payment) -> str:
    if payment.intent.captures_later:
        return "result_reserved_sms" if payment.is_charged else NOT_RESERVED
    return "result_paid_sms" if payment.is_charged else NOT_PAID


def _known_amount(call: Call, payment: Payment) -> Money:
    """As the caller heard it last."""
    of_call = {call.intent_of(charge.attempt): charge.amount for charge in call.charges}
    return of_call.get(payment.intent.reference, payment.intent.amount)


def result_subject(prompts_of: Callable[[str], Prompts], merchant_name: str = "") -> ResultText:
    """What an e-mail with those words is headed."""

    def write(call: Call, payment: Payment) -> str:
        prompts = prompts_of(call.flow_version)
        known = prompts.languages()
        language = call.language if call.language in known else known[0]
        return prompts.words(Phrase(RESULT_SUBJECT, language, receipt_values(payment, call, merchant_name)))

    return write
