"""What banks tell by themselves, taken into the ledger; the listener that hears it is a channel's."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from ivr.bank import BankNews, BankSettings, Opening, protocol_called
from ivr.store import BankWord, FollowUp, News, Store

log = structlog.get_logger()
NO_HEADERS: Mapping[str, str] = {}


@dataclass(frozen=True)
class BankNewsIntake:
    """`banks`: those of `banks.yaml`. `tell_billing`: whether a billing system is told of approvals."""

    store: Store
    banks: Mapping[str, BankSettings]
    environ: Mapping[str, str]
    tell_billing: bool

    def take(self, bank: str, content: bytes, now: datetime, headers: Mapping[str, str] = NO_HEADERS) -> None:
        """KeyError where no such bank tells anything; PeerError for what is not the bank's; ConfigError without its key."""
        settings = self.banks[bank]
        protocol = protocol_called(settings.protocol)
        if protocol.read_news is None:
            raise KeyError(bank)
        promises = protocol.promises
        follow_up = FollowUp(self.tell_billing, promises.captures_apart, "refund" in promises.operations)
        for news in protocol.read_news(Opening(bank, settings, self.environ), content, headers):
            self._take_one(bank, news, now, follow_up)

    def _take_one(self, bank: str, news: BankNews, now: datetime, follow_up: FollowUp) -> None:
        word = BankWord(news.authorization_code, news.response_code, news.bank_reference)
        word = replace(word, kept_token=news.kept_token, kept_until=news.kept_until)
        about = (bank, news.event, news.reference, news.told)
        told = News(*about, word, news.amount, news.modification, news.reason, news.is_total, news.told_at_s)
        effect = self.store.hear(told, now, follow_up)
        is_bad = effect in ("contradicts", "lost") or news.told in ("capture_failed", "undo_refused", "refund_failed")
        note = log.error if is_bad else log.info
        note("the bank has told", bank=bank, reference=news.reference, told=news.told, effect=effect)
        if effect == "moved" and news.told == "approved":
            self._tell_of_card(bank, news.reference)

    def _tell_of_card(self, bank: str, reference: str) -> None:
        """An approval that a notification brought, of a card that its holder has had kept: its token may be told later, or never."""
        payment = self.store.payment(reference)
        intent = payment.intent if payment else None
        if intent and intent.keeps_card and not self.store.kept_card(intent.payable_source, intent.payable_key, bank):
            log.warning(
                "the bank was to keep the card of this charge and has not told its token: nobody can pay with it yet",
                bank=bank,
                reference=reference,
            )
