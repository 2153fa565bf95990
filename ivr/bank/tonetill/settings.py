"""What a bank of our own protocol needs in `banks.yaml` beside what every bank has."""

from pathlib import Path
from typing import ClassVar

from ivr.bank.settings import BankSettings


class TonetillSettings(BankSettings):
    """Each process opens only the files it needs: the web process never reads `client_key`."""

    FILES: ClassVar[tuple[str, ...]] = ("sealing_key", "ca", "client_certificate", "client_key")
    KEY_PAIRS: ClassVar[tuple[tuple[str, str], ...]] = (("client_certificate", "client_key"),)

    ca: Path
    client_certificate: Path
    client_key: Path
