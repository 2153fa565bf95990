"""Money that a prompt names in its own words, and that is not the currency of the flow that says it.

Amounts in slots are said in their own currency; "for ten dollars, press 1, 0" is the author's. `pound` alone is a key, and is not read.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

from ivr.words.choice_words import own_language
from ivr.words.keys_said import prose
from ivr.words.templates import Template

_I = re.IGNORECASE
_DOLLARS = frozenset(
    [
        "USD",
        "CAD",
        "AUD",
        "NZD",
        "SGD",
        "HKD",
        "TWD",
        "BSD",
        "BBD",
        "BZD",
        "BMD",
        "BND",
        "FJD",
        "GYD",
        "JMD",
        "KYD",
        "LRD",
        "NAD",
        "SBD",
        "SRD",
        "TTD",
        "XCD",
    ]
)
_PESOS = frozenset(["MXN", "ARS", "CLP", "COP", "CUP", "DOP", "PHP", "UYU"])
_POUNDS = frozenset(["GBP", "EGP", "FKP", "GIP", "LBP", "SDG", "SHP", "SSP", "SYP"])
_PENCE = frozenset(["GBP", "FKP", "GIP", "SHP"])
_FRANCS = frozenset(["CHF", "BIF", "CDF", "DJF", "GNF", "KMF", "RWF", "XAF", "XOF", "XPF"])
_RUPEES = frozenset(["INR", "LKR", "MUR", "NPR", "PKR", "SCR"])
_CENTS = _DOLLARS | {"EUR", "ZAR", "KES", "TZS", "SZL", "LSL", "ETB", "MUR", "LKR", "SCR"}
_CENTAVOS = _PESOS | _DOLLARS | {"BRL", "BOB", "GTQ", "HNL", "NIO", "EUR", "MZN", "PEN"}
# A name, and the currencies that have it; the longer names first.
_NAMES: Mapping[str, tuple[tuple[re.Pattern[str], frozenset[str]], ...]] = {
    "en": (
        (re.compile(r"\b(?:US|U\.S\.|American|United States) dollars?\b|\bUSD\b", _I), frozenset({"USD"})),
        (re.compile(r"\bCanadian dollars?\b|\bCAD\b", _I), frozenset({"CAD"})),
        (re.compile(r"\bAustralian dollars?\b|\bAUD\b", _I), frozenset({"AUD"})),
        (re.compile(r"\bMexican pesos?\b|\bMXN\b", _I), frozenset({"MXN"})),
        (
            re.compile(r"\bpounds? sterling\b|\bsterling\b(?! (?-i:[A-Z]))|\bBritish pounds?\b|\bGBP\b", _I),
            frozenset({"GBP"}),
        ),
        (re.compile(r"\beuros?\b(?! (?:cards?\b|(?-i:[A-Z])))|\bEUR\b|€", _I), frozenset({"EUR"})),
        (re.compile(r"\bdollars?\b|\bbucks\b", _I), _DOLLARS),
        (re.compile(r"\$"), _DOLLARS | _PESOS),
        (re.compile(r"(?<!press )\bpounds\b|£", _I), _POUNDS),
        (re.compile(r"\b(?:pence|penny|pennies)\b", _I), _PENCE | _DOLLARS),
        (re.compile(r"\bpesos?\b", _I), _PESOS),
        (re.compile(r"(?<!per )\bcents?\b", _I), _CENTS),
        (re.compile(r"\bcentavos?\b", _I), _CENTAVOS),
        (re.compile(r"\byen\b|¥", _I), frozenset({"JPY", "CNY"})),
        (re.compile(r"\b(?:Swiss )?francs?\b", _I), _FRANCS),
        (re.compile(r"\brupees?\b", _I), _RUPEES),
    ),
    "es": (
        (re.compile(r"\bd[óo]lares (?:estadounidenses|americanos)\b|\bUSD\b", _I), frozenset({"USD"})),
        (re.compile(r"\bd[óo]lares canadienses\b|\bCAD\b", _I), frozenset({"CAD"})),
        (re.compile(r"\bpesos mexicanos\b|\bMXN\b", _I), frozenset({"MXN"})),
        (re.compile(r"\beuros?\b|\bEUR\b|€|\bc[ée]ntimos? de euro\b", _I), frozenset({"EUR"})),
        (re.compile(r"\bd[óo]lar(?:es)?\b", _I), _DOLLARS),
        (re.compile(r"\$"), _DOLLARS | _PESOS),
        (re.compile(r"\bpesos\b", _I), _PESOS),
        (re.compile(r"\blibras(?: esterlinas)?\b|£", _I), _POUNDS),
        (re.compile(r"\bpeniques?\b", _I), _PENCE),
        (re.compile(r"\bcentavos?\b", _I), _CENTAVOS),
        (re.compile(r"\bc[ée]ntimos?\b", _I), frozenset({"EUR", "CRC", "PEN", "PYG", "VES"})),
        (re.compile(r"\byenes\b|¥", _I), frozenset({"JPY", "CNY"})),
        (re.compile(r"\bfrancos?\b", _I), _FRANCS),
    ),
}


@lru_cache(8192)
def other_money(template: Template, currency: str, language: str) -> str:
    """The name of money that a flow in `currency` (ISO 4217) does not take; "" where there is none. Kept,
    because each of a folder's flows asks it of the same prompts."""
    text = prose(template)
    for pattern, currencies in _NAMES.get(own_language(language), ()):
        if (match := pattern.search(text)) and currency not in currencies:
            return match[0]
        text = pattern.sub(" ", text)
    return ""
