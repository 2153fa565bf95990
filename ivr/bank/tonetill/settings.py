"""What a bank of our own protocol needs in `banks.yaml` beside what every bank has."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Literal

from ivr.bank.promises import Promises
from ivr.bank.settings import BankSettings, ClientCertificateEntry


class TonetillSettings(BankSettings):
    """Each process opens only the files it needs: the web process never reads `client_key`. `seal`: a JWE, or HPKE where
    the bank takes that (docs/bank.md)."""

    FILES: ClassVar[tuple[str, ...]] = ("sealing_key", "ca", "client_certificate", "client_key")
    KEY_PAIRS: ClassVar[tuple[tuple[str, str], ...]] = (("client_certificate", "client_key"),)

    seal: Literal["jwe", "hpke-x25519-mlkem768"] = "jwe"
    ca: Path
    client_certificate: Path
    client_key: Path
    client_certificates: Sequence[ClientCertificateEntry] = ()

    @property
    def sealing_form(self) -> str:
        return "" if self.seal == "jwe" else self.seal

    def promises_of(self, protocol: Promises) -> Promises:
        return replace(protocol, seal=self.sealing_form or protocol.seal)
