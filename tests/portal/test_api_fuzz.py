"""The API answers whatever is sent as its description says: schemathesis sends what it allows, and what it does not."""

from itertools import count
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, assume, given, seed, settings
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.portal.authors import published_line
from tests.portal.lines import ORIGIN
from tests.portal.programs import program
from tests.portal.receipts import send_again
from tests.store.payments import a_call


class Served:
    """One line for all that is sent, with two charges on it; and a token that may the most."""

    def __init__(self) -> None:
        self.line = line = send_again(published_line())
        line.charge("CA1-1", pays="700101")
        line.store.save_call(a_call("CA1", phase="over", outcome="paid"), 0, line.clock())
        line.charge("CA2-1", minor=20_000)
        self.sender, self.auditor = (
            program(line, "finance", days=9999),
            program(line, "auditor", "bob", days=9999),
        )
        self.operator = program(line, "operator", "eve", days=9999)
        self.author = program(line, "author", "fay", days=9999)
        self.numbers = count()
        self.app: Flask = self.sender.client.application
        served = self.app.wsgi_app
        # Schemathesis comes from no address, and to no port.
        place = {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "localhost:8002"}
        self.app.wsgi_app = lambda environ, start: served(environ | place, start)  # type: ignore[method-assign]
        self.schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", self.app, base_url=ORIGIN)

    def token_for(self, case: Case) -> str:
        if case.operation.path.startswith(("/stops", "/persons", "/keys", "/users")):
            return self.operator.token
        if case.operation.path.startswith("/flow"):
            return self.author.token
        return self.auditor.token if case.operation.path.endswith("/audit") else self.sender.token


@pytest.fixture(scope="module")
def served() -> Served:
    return Served()


NAMES = (
    *("/me", "/payments/search", "/payments/{reference}", "/payments/{reference}/caller", "/requests", "/audit"),
    *("/payments/{reference}/modifications", "/requests/{key}/decision", "/days/{day}", "/days/{day}/movements"),
    *("/calls/search", "/calls/live", "/calls/{reference}", "/persons/search", "/persons/export", "/persons/deletion"),
    *("/stops", "/stops/end", "/payments/{reference}/receipts", "/keys", "/users"),
    *("/flows/{flow}/rollback", "/flow-requests", "/flow-requests/{change}", "/flow-requests/{change}/decision"),
)
POSTED = ("search", "modifications", "receipts", "rollback", "decision", "export", "deletion", "/stops", "end")
NOTHING_SENT = ("/me", "/requests", "/calls/live", "/keys", "/users", "/flow-requests")


def in_a_url(value: Any) -> bool:
    """An empty list or object, and null, are written as nothing at all: what was wrong with the query is not sent."""
    return any(part is not None for part in (value if isinstance(value, list | dict) else [value]))


def send_all(served: Served, path: str, mode: GenerationMode, most: int) -> None:
    method = "POST" if path.endswith(POSTED) else "GET"
    operation = served.schema[path][method]

    @seed(1)
    @settings(max_examples=most, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(operation.as_strategy(generation_mode=mode))
    def each(case: Any) -> None:
        assume(all(in_a_url(value) for value in (case.query or {}).values()))
        served.line.clock.passes(minutes=16)  # wrong tokens of the case before slow nobody down any more
        if mode is GenerationMode.POSITIVE and "Idempotency-Key" in case.headers:
            case.headers["Idempotency-Key"] = (
                f"key-{next(served.numbers):08d}"  # of another request it would be a fault
            )
        headers = {"Authorization": f"Bearer {served.token_for(case)}"}
        answer = case.call(headers=headers)
        # As described, and yet without a meaning: a search for four digits without a day, or for a card number.
        meant = [] if answer.status_code != 422 else [positive_data_acceptance]
        case.validate_response(answer, excluded_checks=meant, headers=headers)

    each()


@pytest.mark.parametrize("path", NAMES)
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: str(mode.value))
def test_whatever_is_sent_is_answered_as_described(served: Served, path: str, mode: GenerationMode):
    if mode is GenerationMode.NEGATIVE and path in NOTHING_SENT:
        pytest.skip("nothing is sent to it that could be wrong")
    send_all(served, path, mode, 30)


@pytest.mark.long
@pytest.mark.parametrize("path", NAMES)
def test_whatever_is_sent_is_answered_as_described_for_longer(served: Served, path: str):
    for mode in GenerationMode:
        if mode is GenerationMode.POSITIVE or path not in NOTHING_SENT:
            send_all(served, path, mode, 500)
