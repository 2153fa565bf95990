"""What every seed has in common and no trace holds: the merchant's flows, and keys that a process makes once."""

import atexit
import shutil
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from ivr.bank.simulator.decryption import Decryption
from ivr.vault import Vault
from tests.benches import load_flow
from tests.merchants import files_by_flow
from tests.simulation.nodes import Merchant

FLOWS = ("pay-a-bill", "parking-fine", "invoices", "rent", "split")
BANK = "acme_bank"


@dataclass(frozen=True)
class Site:
    merchant: Merchant
    decryption: Decryption
    """The bank's."""


@cache
def site() -> Site:
    loaded = {name: load_flow(files_by_flow()[name]) for name in FLOWS}
    public, private = bank_keys()
    vaults = {BANK: Vault(public, bytes(32))}
    flows = {name: flow for name, (flow, _) in loaded.items()}
    return Site(Merchant(flows, loaded["pay-a-bill"][1], vaults, bytes(32)), Decryption(private))


def bank_keys() -> tuple[Path, Path]:
    folder = Path(tempfile.mkdtemp(prefix="tonetill-simulation-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    key, public, private = rsa.generate_private_key(65537, 2048), folder / "sealing.pem", folder / "sealing.key"
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return public, private
