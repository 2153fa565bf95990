"""The file of the keys that callers' numbers are sealed with: `numbers.key` in the folder of keys, the same on every node.

One key a line, in base64; the first seals, all open. The file is made once; a second key is added at its end on all nodes
before it comes to the front on any of them (docs/personal-data.md).
"""

import base64
import os
import secrets
from binascii import Error as NotBase64
from contextlib import suppress
from pathlib import Path

from ivr.errors import ConfigError
from ivr.places import COMMAND
from ivr.settings import Settings
from ivr.store import NUMBER_KEY_BYTES, NumberSeals

FILE = "numbers.key"


def number_seals(settings: Settings, *, makes: bool = False) -> NumberSeals:
    """ConfigError where the file cannot be read, or there is no `fingerprint.key`, which callers are found by. `makes`: for a process
    of the line, which may be its first."""
    keys = settings.var / "keys"
    if makes:
        make_number_key(keys)
    hash_key = keys / "fingerprint.key"
    try:
        return NumberSeals(read_number_keys(keys), hash_key.read_bytes())
    except OSError as error:
        raise ConfigError(f"cannot read {hash_key}: {error.strerror}; `{COMMAND} set-up` makes it") from None


def make_number_key(keys: Path) -> None:
    """Where there is none yet."""
    if not (keys / FILE).exists():
        write_number_keys(keys, [new_number_key()], replace=False)


def new_number_key() -> bytes:
    return secrets.token_bytes(NUMBER_KEY_BYTES)


def read_number_keys(keys: Path) -> list[bytes]:
    file = keys / FILE
    try:
        found = [base64.b64decode(line, validate=True) for line in file.read_text("ascii").split()]
    except OSError as error:
        raise ConfigError(
            f"cannot read {file}: {error.strerror}; `{COMMAND} set-up` makes the first one of a line"
        ) from None
    except (ValueError, NotBase64):
        found = []
    if not found or any(len(key) != NUMBER_KEY_BYTES for key in found):
        raise ConfigError(
            f"{file}: expected keys of {NUMBER_KEY_BYTES} bytes in base64, one a line: take it from another node or a copy"
        )
    return found


def write_number_keys(keys: Path, found: list[bytes], *, replace: bool = True) -> None:
    """Whole or not at all, for its owner only. Without `replace` the first process to get here decides."""
    file = keys / FILE
    draft = file.with_name(f".{FILE}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        keys.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft.touch(mode=0o600)
        draft.write_text("".join(f"{base64.b64encode(key).decode()}\n" for key in found))
        if replace:
            draft.replace(file)
            return
        with suppress(FileExistsError):
            os.link(draft, file)
        draft.unlink()
    except OSError as error:
        raise ConfigError(f"cannot write {file}: {error.strerror}") from None
