"""When an alert is raised and who is told, from settings: thresholds, addresses."""

from dataclasses import dataclass
from datetime import timedelta

from ivr.calls.emailing import mail_server_of
from ivr.core.email_addresses import is_email_address
from ivr.errors import ConfigError
from ivr.settings import Settings
from ivr.store import AlertReceivers

# What raises each, with {} for the setting's value.
KINDS = {
    "bank_silent": "a bank has answered no charge for {} minutes",
    "unknown_growing": "{} charges or more have no outcome",
    "declines": "of a bank's answers in an hour {} % or more are declines",
    "card_testing": "{} different cards were declined in an hour from one caller or for one account",
    "card_testing_block": "{} different cards were declined in an hour from numbers that begin alike",
    "card_testing_line": "{} different cards were declined in an hour on one line",
    "card_testing_bin": "{} different cards that begin with the same six digits were declined in an hour, and {} % or more of these cards",
    "certificate": "a key or certificate of a bank ends within {} days, and none follows",
    "disk": "less than {} % of the disk with our files is free",
    "ticks_late": "{} % or more of the trunk's ticks came late",
    "forged_webhooks": "{} webhooks in an hour were not signed by who they claim to be from",
    "audit_broken": "the audit trail is not what was written",
}
SETTINGS = {
    "bank_silent": "alert_bank_silent_minutes",
    "unknown_growing": "alert_unknown",
    "declines": "alert_declines_percent",
    "card_testing": "alert_cards",
    "card_testing_block": "alert_block_cards",
    "card_testing_line": "alert_line_cards",
    "card_testing_bin": "alert_bin_cards",
    "certificate": "alert_certificate_days",
    "disk": "alert_disk_percent",
    "ticks_late": "alert_late_percent",
    "forged_webhooks": "alert_forged",
}
# Where there is a second one.
SHARES = {"card_testing_bin": "alert_bin_percent"}
MOST_ADDRESSES = 10


@dataclass(frozen=True)
class AlertThresholds:
    """0 of one: no such alert."""

    bank_silent_minutes: int
    unknown: int
    declines_percent: int
    cards: int
    block_cards: int
    line_cards: int
    bin_cards: int
    bin_percent: int
    certificate_days: int
    disk_percent: int
    late_percent: int
    forged: int
    over_after: timedelta


def alert_thresholds(settings: Settings) -> AlertThresholds:
    return AlertThresholds(
        settings.alert_bank_silent_minutes,
        settings.alert_unknown,
        settings.alert_declines_percent,
        settings.alert_cards,
        settings.alert_block_cards,
        settings.alert_line_cards,
        settings.alert_bin_cards,
        settings.alert_bin_percent,
        settings.alert_certificate_days,
        settings.alert_disk_percent,
        settings.alert_late_percent,
        settings.alert_forged,
        timedelta(minutes=settings.alert_over_minutes),
    )


def what_raises(settings: Settings) -> dict[str, str]:
    """By kind, in words, with the values that hold here."""
    return {kind: _raised_when(kind, words, settings) for kind, words in KINDS.items()}


def _raised_when(kind: str, words: str, settings: Settings) -> str:
    if kind not in SETTINGS:
        return words
    names = [name for name in (SETTINGS[kind], SHARES.get(kind)) if name]
    values = {name.upper(): getattr(settings, name) for name in names}
    off = [name for name, value in values.items() if not value]
    return f"never: {off[0]} is 0" if off else f"{words.format(*values.values())} ({', '.join(values)})"


def alert_receivers(settings: Settings) -> AlertReceivers:
    """ConfigError for an address that is none, and where no e-mail can be sent."""
    addresses = settings.alert_emails.replace(",", " ").split()
    for one in addresses:
        if not is_email_address(one):
            raise ConfigError("ALERT_EMAILS: expected e-mail addresses, separated by commas: ops@example.com")
    if len(addresses) > MOST_ADDRESSES:
        raise ConfigError(f"ALERT_EMAILS: at most {MOST_ADDRESSES}: a list at the mail server reaches more people")
    if addresses and mail_server_of(settings) is None and settings.environment == "production":
        raise ConfigError("ALERT_EMAILS: no e-mail can be sent without SMTP_URL and SMTP_FROM")
    return AlertReceivers(tuple(dict.fromkeys(addresses)), settings.merchant_name or settings.merchant)
