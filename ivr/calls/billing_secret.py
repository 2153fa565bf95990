"""The secrets that notices are signed with; they are sent by the forwarder."""

import base64
import binascii
import os
import secrets
from pathlib import Path

from standardwebhooks.webhooks import Webhook

from ivr.errors import ConfigError
from ivr.settings import Settings

MAKE_ONE = "make one with `echo whsec_$(openssl rand -base64 32)`"
SECRET_BYTES = range(24, 65)  # Standard Webhooks, "Signature scheme": 24 to 64 random bytes


def webhook_of(settings: Settings) -> Webhook:
    """ConfigError for a secret that is missing or weak."""
    cure = f"{MAKE_ONE} and give it to the billing system too"
    secret = settings.billing_secret
    if not secret:
        if settings.environment == "production":
            raise ConfigError(
                f"BILLING_SECRET: needed with BILLING_URL, so that nobody else can report payments: {cure}"
            )
        secret = development_secret(settings.var / "keys" / "billing_secret", "BILLING_SECRET")
    return webhook_with(secret, "BILLING_SECRET", cure)


def webhook_with(secret: str, setting: str, cure: str) -> Webhook:
    """ConfigError for a weak one, which names the setting."""
    try:
        size = len(base64.b64decode(secret.removeprefix("whsec_") + "==", validate=False))
    except (binascii.Error, ValueError):
        size = 0
    if size not in SECRET_BYTES:
        raise ConfigError(f"{setting}: expected whsec_ and 24 to 64 bytes in base64: {cure}")
    return Webhook(secret)


def development_secret(file: Path, setting: str) -> str:
    """Made once on this machine; a merchant's own endpoint in development reads the same file."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            out.write(f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}\n")
    except FileExistsError:
        pass
    except OSError as error:
        raise ConfigError(f"cannot write {file}: {error.strerror}; or set {setting}") from None
    return file.read_text().strip()
