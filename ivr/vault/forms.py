"""The forms in which a field can be sealed, by the name that a bank's protocol gives: how its key is read, how it is used."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ivr.vault.adyen import CURE as ADYENS_CURE
from ivr.vault.adyen import load_adyen_key, seal_for_adyen
from ivr.vault.hpke import HPKE, load_hpke_key, seal_by_hpke
from ivr.vault.seal import CURE, SealContext, SealingKey, read_sealing_key, seal


def as_it_is(told: str) -> str:
    return told


def of_the_forwarder(told: str) -> str:
    """The forwarder's own public half: the form is ours, and so is the cure."""
    cure = "`sealing_key` is the forwarder's own certificate, which `set-up` makes beside `opening_key`"
    return told.replace(CURE, cure).replace("the bank's", "the forwarder's")


def of_adyen(told: str) -> str:
    """A certificate, a private key and a short key are refused by the same code as any bank's."""
    return told.replace(CURE, ADYENS_CURE)


@dataclass(frozen=True)
class SealingForm:
    """`load_key`: whatever its days; ConfigError for what is none, which `in_our_words` says with the right cure.
    `seal`: field, clear buffer, context, key, now; None for a field that the bank does not take."""

    load_key: Callable[[Path], SealingKey]
    seal: Callable[[str, bytearray, SealContext, SealingKey, datetime], str | None]
    in_our_words: Callable[[str], str] = as_it_is


FORMS: Mapping[str, SealingForm] = {
    "tonetill": SealingForm(read_sealing_key, seal),
    HPKE: SealingForm(load_hpke_key, seal_by_hpke),
    "adyen": SealingForm(load_adyen_key, seal_for_adyen, of_adyen),
    "forwarder": SealingForm(read_sealing_key, seal, of_the_forwarder),
}
