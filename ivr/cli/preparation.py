"""Makes what a line needs before it starts: folders, keys, the database, accounts; and says what it made."""

import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from ivr.bank import VaultSealed, load_banks
from ivr.bank.dev_keys import (
    FINGERPRINT_KEY_BYTES,
    make_development_keys,
    make_forwarders_key,
    make_private_folder,
    one_at_a_time,
    replace,
)
from ivr.books import new_signing_key
from ivr.books.audit_heads import PRIVATE, PUBLIC
from ivr.calls.number_keys import make_number_key, number_seals
from ivr.cli.payment_session import operator
from ivr.cli.reports import count
from ivr.errors import ConfigError
from ivr.settings import Settings
from ivr.store import migrate, open_store

# SQLite and the metrics map files into memory: on a full disk touching one kills the process (SIGBUS).
LEAST_FREE_BYTES = 64 * 1024 * 1024


def prepare(settings: Settings) -> list[str]:
    """What was made, in words; nothing where all was in place. What exists is never changed."""
    database = _sqlite_file(settings.database_url)
    for folder in {settings.var, database.parent if database else settings.var}:
        require_space(folder)
    made = list(_make_keys(settings))
    is_new = database is not None and not database.exists()
    migrate(settings.database_url)
    if sealed := _seal_numbers(settings):
        made.append(f"{sealed} callers' numbers sealed that were kept in clear")
    if is_new:
        made.append(f"database {database}")
    made += _add_accounts(settings)
    return made


def require_space(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise ConfigError(f"{folder}: {error.strerror}: set VAR to a folder that can be written") from None
    if free < LEAST_FREE_BYTES:
        needed, left = LEAST_FREE_BYTES // 2**20, free // 2**20
        raise ConfigError(f"{folder}: {left} MB are free and at least {needed} are needed: free some, or move VAR")


def _make_keys(settings: Settings) -> Iterator[str]:
    keys, bank = settings.var / "keys", settings.var / "bank"
    before = _files(keys) | _files(bank)
    if settings.environment == "development":
        make_development_keys(keys, bank)
    else:
        _make_fingerprint_key(keys)
        if any(isinstance(bank, VaultSealed) for bank in load_banks(settings.banks, settings.var).values()):
            make_forwarders_key(keys)
    _make_audit_key(keys)
    make_number_key(keys)
    for file in sorted((_files(keys) | _files(bank)) - before):
        yield f"key or certificate {file}"


def _make_fingerprint_key(keys: Path) -> None:
    """The key of the hash by which cards and callers are counted. The bank issues all others."""
    make_private_folder(keys)
    with one_at_a_time(keys):
        if not (keys / "fingerprint.key").exists():
            replace(keys / "fingerprint.key", secrets.token_bytes(FINGERPRINT_KEY_BYTES))


def _make_audit_key(keys: Path) -> None:
    """Signs where the audit trail ends; the public half is for who checks it elsewhere."""
    make_private_folder(keys)
    with one_at_a_time(keys):
        if not (keys / PRIVATE).exists():
            private, public = new_signing_key()
            replace(keys / PUBLIC, public)
            replace(keys / PRIVATE, private)


def _seal_numbers(settings: Settings) -> int:
    """What a version before migration 0035 has written; nothing at every later start."""
    store = open_store(settings.database_url, numbers=number_seals(settings))
    try:
        return store.seal_numbers()
    finally:
        store.close()


def _add_accounts(settings: Settings) -> Iterator[str]:
    """On a laptop every start begins with unpaid bills; in production the file only adds accounts."""
    if settings.accounts is None:
        return
    store = open_store(settings.database_url)
    try:
        anew = settings.environment == "development"
        added = store.seed_bills(settings.accounts, anew=anew, by=operator())
    except ConfigError as error:
        raise ConfigError(f"ACCOUNTS: {error}") from None
    finally:
        store.close()
    if added:
        yield f"{count(added, 'account')} from {settings.accounts}"


def _files(folder: Path) -> set[Path]:
    return {file for file in folder.glob("*") if file.is_file() and not file.name.startswith(".")}


def _sqlite_file(url: str) -> Path | None:
    prefix = "sqlite:///"
    return Path(url.removeprefix(prefix)) if url.startswith(prefix) else None
