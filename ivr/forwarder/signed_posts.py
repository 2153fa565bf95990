"""One POST in the form of Standard Webhooks (https://www.standardwebhooks.com), and how long it is tried.

Who is told what, and what follows from an answer, is for those who send.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx
from standardwebhooks.webhooks import Webhook

from ivr.calls.billing_answer import BillingDown
from ivr.calls.billing_endpoint import Access, exchange

LIMIT_S = 15.0  # nobody waits on the line for it; well under a job's lease
TRIED_FOR = timedelta(hours=72)
FIRST_PAUSE_S, LONGEST_PAUSE_S = 5.0, 3600.0


@dataclass(frozen=True)
class NotTaken:
    """`status` is 0 where there was no answer."""

    words: str
    status: int = 0


@dataclass(frozen=True)
class SignedPosts:
    """Each POST is a connection of its own: they are few, and threads of the forwarder send them. `webhooks`: one for each
    secret that the receiver may know, so that it can be changed without a gap."""

    access: Access
    webhooks: Sequence[Webhook]

    def post(self, notice: str, body: str, at: datetime) -> NotTaken | None:
        """`notice`: the same at every try. None where it was taken; redirects are not followed."""
        request = httpx.Request("POST", self.access.url, headers=self._headers(notice, body, at), content=body)
        try:
            status = asyncio.run(self._send(request))
        except BillingDown as error:
            return NotTaken(str(error))
        return None if 200 <= status < 300 else NotTaken(f"it answered {status}", status)

    async def _send(self, request: httpx.Request) -> int:
        async with self.access.client() as http:
            status, _ = await exchange(http, self.access, request)
            return status

    def _headers(self, notice: str, body: str, at: datetime) -> dict[str, str]:
        return {
            "webhook-id": notice,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": " ".join(webhook.sign(notice, at, body) for webhook in self.webhooks),
            "Idempotency-Key": notice,
            "Content-Type": "application/json",
        }


def pause_after(attempts: int) -> float:
    return min(FIRST_PAUSE_S * 2.0 ** min(attempts - 1, 20), LONGEST_PAUSE_S)
