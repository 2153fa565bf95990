"""Tells the merchant's own systems what the store has written down for them, until they have taken it (docs/notices.md).

2xx is taken. 410 says that the address wants no more: nothing is sent there until somebody sends a notice again. Every
other answer, and none, is tried again for 72 hours, then shown as failed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from ivr import metrics
from ivr.calls.notice_settings import notice_access, notice_webhooks
from ivr.forwarder.signed_posts import LIMIT_S, TRIED_FOR, NotTaken, SignedPosts, pause_after
from ivr.places import COMMAND
from ivr.settings import Settings
from ivr.store import Job, MerchantNotice, Store

log = structlog.get_logger()
GONE = 410
WANTS_NO_MORE = "it answered 410: it wants no more notices"
NO_ADDRESS_PAUSE_S = 300.0  # until somebody has set NOTICES_URL again


@dataclass(frozen=True)
class MerchantNoticeJobs:
    """`posts` is None where no address is set. `due`: the time that pauses count from, None for the database's own clock."""

    store: Store
    posts: SignedPosts | None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    due: datetime | None = None

    def tell(self, job: Job) -> None:
        notice = self.store.merchant_notice(job.reference)
        if notice is None:
            log.error("a notice that is not on record", notice=job.reference)
            self.store.finish(job)
        elif self.posts is None:
            log.error("a notice is to be sent, and NOTICES_URL is empty", notice=notice.id)
            self.store.postpone(job, NO_ADDRESS_PAUSE_S, self.due)
        elif self.store.is_gone(self.posts.access.url):
            self._fail(job, notice, WANTS_NO_MORE)
        else:
            self._post(job, notice, self.posts)

    def _post(self, job: Job, notice: MerchantNotice, posts: SignedPosts) -> None:
        refused = posts.post(notice.id, notice.body, self.now())
        if refused is None:
            self.store.notice_sent(job, self.now())
            metrics.MERCHANT_NOTICES.labels(notice.kind, "taken").inc()
        elif refused.status == GONE:
            self._fail(job, notice, WANTS_NO_MORE, posts.access.url)
        else:
            self._try_later(job, notice, refused)

    def _try_later(self, job: Job, notice: MerchantNotice, refused: NotTaken) -> None:
        if self.now() - notice.at >= TRIED_FOR:
            self._fail(job, notice, f"given up after 72 hours: {refused.words}")
            return
        pause_s = pause_after(job.attempts)
        log.warning("a notice was not taken", notice=notice.id, reason=refused.words, again_in_s=round(pause_s))
        self.store.notice_delayed(job, refused.words, pause_s, self.now(), self.due)
        metrics.MERCHANT_NOTICES.labels(notice.kind, "delayed").inc()

    def _fail(self, job: Job, notice: MerchantNotice, problem: str, gone_url: str | None = None) -> None:
        cure = f"`{COMMAND} notices resend {notice.id}` tries it again"
        log.error("a notice has failed", notice=notice.id, reason=problem, cure=cure)
        self.store.notice_failed(job, problem, self.now(), gone_url)
        metrics.MERCHANT_NOTICES.labels(notice.kind, "failed").inc()


def merchant_posts(settings: Settings) -> SignedPosts | None:
    """ConfigError for an address or a secret that cannot be used; None where no address is set."""
    if not settings.notices_url:
        return None
    return SignedPosts(notice_access(settings, LIMIT_S), notice_webhooks(settings))
