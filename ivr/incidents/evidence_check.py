"""Whether an archive of evidence is what was made: its files' sums, its signature, and the chain of its audit trail."""

import base64
import binascii
import hashlib
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ivr.books.audit_heads import is_signed, public_keys
from ivr.errors import ConfigError
from ivr.incidents.evidence import MANIFEST, SIGNATURE, SUMS, TRAIL
from ivr.store.audit import START, chained

MOST_BYTES = 4 * 2**30  # of one file in it: more was not made by us


def check_evidence(file: Path, key: Path | None) -> list[str]:
    """What is wrong with it, a line each; nothing where all is right. `key`: a file of public halves that is known to be the
    line's; without it the signature is not looked at. ConfigError where it is no such archive."""
    try:
        with zipfile.ZipFile(file) as archive:
            return list(_problems(archive, key))
    except OSError as error:
        raise ConfigError(f"cannot read {file}: {error.strerror or 'it cannot be read'}") from None
    except (zipfile.BadZipFile, KeyError, ValueError, zipfile.LargeZipFile):
        raise ConfigError(f"{file} is no archive of evidence, or it is damaged") from None


def _problems(archive: zipfile.ZipFile, key: Path | None) -> Iterator[str]:
    manifest: dict[str, Any] = json.loads(archive.read(MANIFEST))
    listed: dict[str, Any] = manifest["files"]
    beside = {MANIFEST, SUMS, SIGNATURE, "audit_public.pem"}
    for name in sorted(set(archive.namelist()) - set(listed) - beside):
        yield f"{name}: it is not in the manifest: it was added"
    for name, said in listed.items():
        if name not in archive.namelist():
            yield f"{name}: it is missing"
        elif _sum_of(archive, name) != said["sha256"]:
            yield f"{name}: it is not what was written"
    if key is not None:
        yield from _signature_problems(archive, key)
    yield from _chain_problems(archive, manifest["audit"])


def _sum_of(archive: zipfile.ZipFile, name: str) -> str:
    if archive.getinfo(name).file_size > MOST_BYTES:
        return ""
    digest = hashlib.sha256()
    with archive.open(name) as opened:
        while part := opened.read(2**20):
            digest.update(part)
    return digest.hexdigest()


def _signature_problems(archive: zipfile.ZipFile, key: Path) -> Iterator[str]:
    try:
        signature = base64.b64decode(archive.read(SIGNATURE).strip(), validate=True)
    except KeyError:
        yield f"{MANIFEST}: it is not signed"
        return
    except binascii.Error:
        signature = b""
    if not is_signed(public_keys(key), signature, archive.read(MANIFEST)):
        yield f"{MANIFEST}: the signature does not fit: it was changed, or signed with another key"


def _chain_problems(archive: zipfile.ZipFile, said: dict[str, Any]) -> Iterator[str]:
    digest, broken = START, None
    number = 0
    with archive.open(TRAIL) as opened:
        for number, line in enumerate(opened, start=1):
            one = json.loads(line)
            digest = chained(digest, (one["id"], one["at_ms"], one["who"], one["what"], one["about"]))
            if broken is None and (one["id"] != number or one["digest"] != digest):
                broken = number
            digest = one["digest"]
    if broken is not None:
        known = " (as the database said)" if said["broken_event"] == broken else ""
        yield f"audit trail: event {broken} is not what was written, or not where{known}"
    if number and digest != said["head"]:
        yield "audit trail: it does not end where the manifest says"
