"""One request, however often it is sent: what was answered under an idempotency key is answered again.

A key is a user's own, and only its digest is kept. A process that was killed between the request and its answer leaves what
the request was about when it came (`looked_at`), such as what could be refunded: the same request then asks for the same, and
is found done. The same request that comes while the first is under way in this process waits for its answer.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock

from flask import Response

from ivr.portal.api.description import KEY_PATTERN
from ivr.portal.api.problems import MIMETYPE, ProblemError
from ivr.portal.api.shapes import WrongPlace
from ivr.portal.credentials import digest_of
from ivr.store import RememberedAnswer, Store

_KEY = re.compile(KEY_PATTERN, re.ASCII)
HEADER = "header.Idempotency-Key"
TURNS = 64  # requests under different keys rarely wait for each other


@dataclass(frozen=True)
class OnceOnly:
    store: Store
    now: Callable[[], datetime]
    turns: tuple[Lock, ...] = field(default_factory=lambda: tuple(Lock() for _ in range(TURNS)))

    def answer(self, user: str, key: str, asked: RememberedAnswer, work: Callable[[str], Response]) -> Response:
        """`work` takes what `asked.looked_at` was at the first attempt."""
        if not _KEY.fullmatch(key):
            cure = "send a text of your own of 8 to 200 visible characters, such as a UUID: the same for each attempt"
            raise ProblemError(400, "invalid", f"{HEADER}: {cure}", WrongPlace(place=HEADER, cure=cure))
        digest = digest_of(key)
        with self.turns[int(digest[:8], 16) % TURNS]:
            return self._answer(user, digest, asked, work)

    def _answer(self, user: str, digest: str, asked: RememberedAnswer, work: Callable[[str], Response]) -> Response:
        known = self.store.remember_request(user, digest, asked, self.now())
        if known.request_digest != asked.request_digest:
            cure = "another request was sent under this key: take a new one for each request"
            raise ProblemError(422, "key_reused", cure, WrongPlace(place=HEADER, cure=cure))
        if known.status:
            mimetype = MIMETYPE if known.status >= 400 else "application/json"
            return Response(known.body, known.status, mimetype=mimetype)
        try:
            made = work(known.looked_at)
        except ProblemError as error:
            made = error.response()
        self.store.remember_answer(user, digest, made.status_code, made.get_data(as_text=True))
        return made
