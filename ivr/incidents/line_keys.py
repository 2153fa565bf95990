"""Every key, certificate and secret that a line uses: by name, from when until when, and a fingerprint; never the secret.

A certificate or public key is known by its SHA-256. A secret's fingerprint is a hash keyed by the line's own fingerprint key,
so that two nodes can be compared and a password that is easy to guess cannot be tried out.
"""

import hashlib
import hmac
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from cryptography.hazmat.primitives.serialization import Encoding

from ivr.bank import BankSettings, VaultSealed, load_banks
from ivr.bank.secrets import variable
from ivr.bank.terms import Term, certificates_in, said_end
from ivr.books.audit_heads import PRIVATE, PUBLIC, fingerprint_of
from ivr.calls.bank_keys import SEALING, ends_of, ring_of, terms_of
from ivr.errors import ConfigError
from ivr.settings import DEVELOPMENT_TOKEN_FILE, Settings
from ivr.store import Store

KeyState = Literal["seals", "opens only", "begins later", "ended", "good", "in use", "missing"]
FINGERPRINT_KEY, PORTAL_KEY, NUMBERS_KEY = "fingerprint.key", "portal.key", "numbers.key"
SHOWN = 16  # hexadecimal digits of a fingerprint
# Settings that are secret, with what each is for.
SECRETS: Mapping[str, str] = {
    "twilio_auth_token": "checks Twilio's webhooks",
    "pay_connector_password": "checks Twilio's Pay Connector",
    "billing_token": "sent to BILLING_URL",
    "billing_secret": "signs what BILLING_URL is told",
    "notices_secret": "signs notices to NOTICES_URL",
    "pay_link_key": "encrypts links to your page",
    "smtp_url": "password of the mail server",
    "database_url": "password of the database",
    "oidc_client_secret": "the portal at the identity provider",
    "trunk_password": "what SIP peers must give",
    "trunk_register_password": "this line at its SIP provider",
}
# Of these only a password within is secret, and not each has one.
ADDRESSES = frozenset({"smtp_url", "database_url"})
# What is made for development where the setting is empty, below VAR/keys.
MADE_HERE = {
    "twilio_auth_token": DEVELOPMENT_TOKEN_FILE.name,
    "billing_secret": "billing_secret",
    "notices_secret": "notices_secret",
    "pay_link_key": "pay_link.key",
}
# By protocol, what a bank's secrets are called after its name (`bank.secrets.variable`).
BANK_SECRETS = ("API_KEY", "HMAC_KEY", "WEBHOOK_SECRET")


@dataclass(frozen=True)
class LineKey:
    """`name`: what is rotated together has the same, such as `acme_bank sealing` or `portal`. `what`: a word for people.
    `where`: its file or environment variable. `first`, `last`: None where it has none."""

    name: str
    what: str
    where: str
    fingerprint: str
    state: KeyState
    kid: str = ""
    first: datetime | None = None
    last: datetime | None = None

    @property
    def validity(self) -> str:
        first, last = f"{self.first:%Y-%m-%d}" if self.first else "", said_end(self.last) if self.last else ""
        if first and last:
            return f"{first} to {last}"
        return f"since {first}" if first else (f"until {last}" if last else "without an end")


def keys_of(settings: Settings, store: Store, now: datetime, environ: Mapping[str, str] | None = None) -> list[LineKey]:
    """Banks first, then the line's own. What cannot be read is `missing`, and is listed all the same."""
    environ = os.environ if environ is None else environ
    mark = FingerprintMark(settings.var / "keys" / FINGERPRINT_KEY)
    banks = load_banks(settings.banks, settings.var)
    found = [key for name, bank in banks.items() for key in _of_bank(name, bank, environ, mark, now)]
    return [*found, *_own(settings, mark), *_trunk(settings, now), *_secrets(settings, mark), *_tokens(store, now)]


def alarms_of(name: str, bank: BankSettings, now: datetime) -> dict[str, str]:
    """By the name of a bank's keys, such as `acme_bank sealing`: what ends within 30 days without one that follows, or is none,
    in words."""
    found: dict[str, str] = {}
    try:
        ring = ring_of(bank)
    except ConfigError as error:
        ring, found[_name_of(name, SEALING)] = None, str(error)
    ends = ends_of(name, terms_of(bank, ring), now)
    return found | {_name_of(name, end.what): end.told(now) for end in ends if end.is_alarming(now)}


class FingerprintMark:
    """Of a secret; `-` where the line has no key to make it with."""

    def __init__(self, file: Path) -> None:
        self._key = _read(file)

    def __call__(self, name: str, secret: bytes) -> str:
        if not (self._key and secret):
            return "-"
        return hmac.new(self._key, b"fingerprint " + name.encode() + b"\0" + secret, hashlib.sha256).hexdigest()[:SHOWN]


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""


def _of_bank(
    name: str, bank: BankSettings, environ: Mapping[str, str], mark: FingerprintMark, now: datetime
) -> Iterator[LineKey]:
    try:
        ring = ring_of(bank)
    except ConfigError:
        ring = None
        yield LineKey(_name_of(name, SEALING), SEALING, str(bank.sealing_key), "-", "missing")
    sealing = None
    with suppress(ConfigError):  # listed keys of which none is good now
        sealing = ring.at(now).file if ring else None
    for term in terms_of(bank, ring):
        fingerprint = hashlib.sha256(term.kid.encode()).hexdigest()[:SHOWN] if term.kid else _of_certificate(term.file)
        dates = [day if 1 < day.year < 9999 else None for day in (term.first, term.last)]
        state = _state(term, now, sealing)
        yield LineKey(_name_of(name, term.what), term.what, str(term.file), fingerprint, state, term.kid, *dates)
    if isinstance(bank, VaultSealed):
        for setting, file in bank.files().items():
            if setting.endswith("opening_key"):
                yield _file(f"{name} sealing", "opening key of the forwarder", file, mark)
    for what in BANK_SECRETS:
        variable_name = variable(name, what)
        if secret := environ.get(variable_name, ""):
            words = f"the bank's {what.replace('_', ' ').lower()}"
            yield LineKey(variable_name, words, variable_name, mark(variable_name, secret.encode()), "in use")


def _name_of(bank: str, what: str) -> str:
    kind = {SEALING: "sealing", "client certificate": "certificate"}.get(what, "authority")
    return f"{bank} {kind}"


def _state(term: Term, now: datetime, sealing: Path | None) -> KeyState:
    if now < term.first:
        return "begins later"
    if now >= term.last:
        return "ended"
    if term.what != SEALING:
        return "good"
    return "seals" if term.file == sealing else "opens only"


def _of_certificate(file: Path) -> str:
    found = certificates_in(file)
    return hashlib.sha256(found[0].public_bytes(Encoding.DER)).hexdigest()[:SHOWN] if found else "-"


def _own(settings: Settings, mark: FingerprintMark) -> Iterator[LineKey]:
    keys = settings.var / "keys"
    signing = _file("audit", "signs where the audit trail ends", keys / PRIVATE, mark)
    fingerprint = fingerprint_of(_read(keys / PUBLIC))
    yield LineKey(signing.name, signing.what, signing.where, fingerprint, signing.state, "", signing.first)
    yield _file("portal", "encrypts secrets of the portal's codes", keys / PORTAL_KEY, mark)
    yield _file("fingerprint", "hashes cards and callers for limits", keys / FINGERPRINT_KEY, mark)
    yield _file("numbers", "seals callers' numbers", keys / NUMBERS_KEY, mark)


def _file(name: str, what: str, file: Path, mark: FingerprintMark) -> LineKey:
    content = _read(file)
    if not content:
        return LineKey(name, what, str(file), "-", "missing")
    since = datetime.fromtimestamp(file.stat().st_mtime, UTC)
    return LineKey(name, what, str(file), mark(file.name, content), "in use", "", since)


def _trunk(settings: Settings, now: datetime) -> Iterator[LineKey]:
    if not settings.trunk_tls_cert:
        return
    file = Path(settings.trunk_tls_cert)
    for found in certificates_in(file)[:1]:
        first, last = found.not_valid_before_utc, found.not_valid_after_utc
        state: KeyState = "good" if first <= now < last else "ended"
        yield LineKey("trunk certificate", "TLS of the trunk", str(file), _of_certificate(file), state, "", first, last)


def _secrets(settings: Settings, mark: FingerprintMark) -> Iterator[LineKey]:
    for setting, what in SECRETS.items():
        written = str(getattr(settings, setting))
        if setting in ADDRESSES and not may_hold_password(written):
            continue
        made = settings.var / "keys" / MADE_HERE.get(setting, "none")
        is_made = made.is_file() and settings.environment == "development"
        is_set = bool(written) and not (is_made and written.encode() == _read(made).strip())
        if is_set:
            yield LineKey(setting.upper(), what, setting.upper(), mark(setting, written.encode()), "in use")
        elif is_made:
            yield _file(setting.upper(), f"{what} (made for development)", made, mark)


def may_hold_password(address: str) -> bool:
    """Between `:` and `@` before the host (RFC 3986 3.2.1), or where PostgreSQL takes it too: `?password=`. Not parsed: an address
    that is not as it should be is rather listed than left out."""
    _, _, rest = address.partition("://")
    password = (rest or address).rpartition("@")[0].partition(":")[2]
    return bool(password) or "password=" in address


def _tokens(store: Store, now: datetime) -> Iterator[LineKey]:
    for one in store.portal_tokens():
        if not one.is_revoked and one.until > now:
            what = f"API token '{one.name}' of {one.user}, {one.role}"
            yield LineKey(
                f"token {one.id}", what, "the program that sends it", "-", "in use", "", one.made_at, one.until
            )
