"""The forms in which a field can be sealed, by the name that a bank's protocol gives: how its key is read, how it is used."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ivr.errors import ConfigError
from ivr.vault.adyen import load_adyen_key, seal_for_adyen
from ivr.vault.seal import CURE, SealContext, SealingKey, load_sealing_key, seal


@dataclass(frozen=True)
class SealingForm:
    """`seal`: field, clear buffer, context, key, today; None for a field that the bank does not take."""

    load_key: Callable[[Path], SealingKey]
    seal: Callable[[str, bytearray, SealContext, SealingKey, date], str | None]


def load_forwarders_key(file: Path) -> SealingKey:
    """The forwarder's own public half: the form is ours, and so is the cure."""
    try:
        return load_sealing_key(file)
    except ConfigError as error:
        cure = "`sealing_key` is the forwarder's own certificate, which `set-up` makes beside `opening_key`"
        raise ConfigError(str(error).replace(CURE, cure).replace("the bank's", "the forwarder's")) from None


FORMS: Mapping[str, SealingForm] = {
    "tonetill": SealingForm(load_sealing_key, seal),
    "adyen": SealingForm(load_adyen_key, seal_for_adyen),
    "forwarder": SealingForm(load_forwarders_key, seal),
}
