"""The forms in which a field can be sealed, by the name that a bank's protocol gives: how its key is read, how it is used."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ivr.vault.adyen import load_adyen_key, seal_for_adyen
from ivr.vault.seal import SealContext, SealingKey, load_sealing_key, seal


@dataclass(frozen=True)
class SealingForm:
    """`seal`: field, clear buffer, context, key, today; None for a field that the bank does not take."""

    load_key: Callable[[Path], SealingKey]
    seal: Callable[[str, bytearray, SealContext, SealingKey, date], str | None]


FORMS: Mapping[str, SealingForm] = {
    "tonetill": SealingForm(load_sealing_key, seal),
    "adyen": SealingForm(load_adyen_key, seal_for_adyen),
}
