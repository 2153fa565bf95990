"""Where the merchant's own systems are told of payments and calls: address, kinds and secrets, from settings."""

from standardwebhooks.webhooks import Webhook

from ivr.calls.billing import require_safe
from ivr.calls.billing_endpoint import Access
from ivr.calls.billing_secret import MAKE_ONE, development_secret, webhook_with
from ivr.errors import ConfigError
from ivr.reading.problems import did_you_mean
from ivr.settings import Settings
from ivr.store import NOTICE_KINDS

NAME = "NOTICES"
ALL = "all"
MOST_SECRETS = 2
CURE = f"{MAKE_ONE} and give it to the receiver too"


def notice_kinds(settings: Settings) -> frozenset[str]:
    """Those that are written down to be sent; none without NOTICES_URL. ConfigError for one that does not exist."""
    named = settings.notices_kinds.replace(",", " ").split()
    if not named:
        raise ConfigError(f"NOTICES_KINDS: expected {ALL}, or some of {', '.join(NOTICE_KINDS)}")
    for one in named:
        if one != ALL and one not in NOTICE_KINDS:
            near = did_you_mean(one, NOTICE_KINDS)
            raise ConfigError(f"NOTICES_KINDS: there is no kind '{one}': {near or ', '.join(NOTICE_KINDS)}")
    if not settings.notices_url:
        return frozenset()
    return frozenset(NOTICE_KINDS if ALL in named else named)


def notice_access(settings: Settings, limit_s: float) -> Access:
    """ConfigError for an address that is none, or not safe in production."""
    access = Access(settings.notices_url, "", settings.notices_ca, limit_s, NAME)
    require_safe(access, settings)
    return access


def notice_webhooks(settings: Settings) -> tuple[Webhook, ...]:
    """One for each secret, the new one first. ConfigError for one that is missing or weak, or for a third."""
    secrets = settings.notices_secret.replace(",", " ").split()
    if not secrets:
        if settings.environment == "production":
            reason = "needed with NOTICES_URL, so that nobody else can report payments"
            raise ConfigError(f"NOTICES_SECRET: {reason}: {CURE}")
        secrets = [development_secret(settings.var / "keys" / "notices_secret", "NOTICES_SECRET")]
    if len(secrets) > MOST_SECRETS:
        raise ConfigError("NOTICES_SECRET: at most two, the new one and the one that it replaces")
    return tuple(webhook_with(one, "NOTICES_SECRET", CURE) for one in secrets)


def require_notice_settings(settings: Settings) -> None:
    """The forwarder sends by them; a wrong one is reported by every process, before anything is written down."""
    notice_kinds(settings)
    if settings.notices_url:
        notice_access(settings, 1.0)
        notice_webhooks(settings)
