"""What a bank's response code says, in short plain words: for people who read a charge's story. Nothing is decided by them.

ISO 8583:1987 field 39, and what networks added to it (`1A`, `N7`, `82` as used for a wrong security code). Every bank here is
put into these codes (`RESPONSE_CODES` of a protocol); an acquirer may mean something else by a code, and its own list holds then.
"""

from collections.abc import Mapping

WORDS: Mapping[str, str] = {
    "00": "approved, or done",
    "01": "ask the card's issuer",
    "02": "ask the card's issuer, special conditions",
    "03": "invalid merchant",
    "04": "pick up the card",
    "05": "do not honor",
    "06": "error",
    "07": "pick up the card, special conditions",
    "08": "approved, with a look at an identity card",
    "10": "approved in part",
    "11": "approved, very important person",
    "12": "invalid transaction",
    "13": "invalid amount",
    "14": "no such card number",
    "15": "no such issuer",
    "16": "approved, the card's track to be updated",
    "19": "enter it again",
    "21": "no action taken",
    "25": "no such record",
    "30": "format error",
    "41": "lost card",
    "43": "stolen card",
    "51": "not sufficient funds",
    "54": "expired card",
    "55": "wrong PIN",
    "57": "not permitted to this card",
    "58": "not permitted to this terminal",
    "59": "suspected fraud",
    "61": "above a limit of the amount",
    "62": "restricted card",
    "63": "security violation",
    "65": "above a limit of how often",
    "68": "the answer came too late",
    "75": "wrong PIN too often",
    "82": "wrong security code",
    "85": "no reason to decline",
    "91": "issuer not available",
    "92": "no way to the issuer",
    "93": "against the law",
    "94": "sent twice",
    "96": "system fault",
    "1A": "the cardholder must be authenticated",
    "N7": "wrong security code",
}


def code_in_words(code: str | None) -> str:
    """`05 (do not honor)`; one that is not in the table as it is, and "" where the bank gave none."""
    if not code:
        return ""
    words = WORDS.get(code)
    return f"{code} ({words})" if words else code
