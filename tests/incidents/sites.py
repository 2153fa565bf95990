"""A line's own files in a folder of a test: development keys, an audit pair, one bank."""

import shutil
from pathlib import Path

from ivr.books import new_signing_key
from ivr.books.audit_heads import PRIVATE, PUBLIC
from ivr.settings import Settings, load_settings

BANKS = """banks:
  acme_bank: # the simulator
    url: https://127.0.0.1:9443
    sealing_key: keys/bank-sealing.crt
    ca: keys/bank-ca.crt
    client_certificate: keys/client.crt
    client_key: keys/client.key
"""


def line_site(folder: Path, made: Path, **more: str) -> Settings:
    """`made`: where development keys were made. The database is in the folder, and empty."""
    shutil.copytree(made, folder, dirs_exist_ok=True)
    (folder / "banks.yaml").write_text(BANKS, encoding="utf-8")
    private, public = new_signing_key()
    (folder / "keys" / PRIVATE).write_bytes(private)
    (folder / "keys" / PUBLIC).write_bytes(public)
    return load_settings(environment_of(folder) | more)


def environment_of(folder: Path) -> dict[str, str]:
    url = f"sqlite:///{folder}/calls.db"
    return {"VAR": str(folder), "BANKS": str(folder / "banks.yaml"), "DATABASE_URL": url, "ENVIRONMENT": "development"}
