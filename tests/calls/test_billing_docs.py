"""docs/billing.md is the contract: its schemas are the code's, and its complete endpoint does what it says."""

import base64
import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from pydantic import BaseModel

from ivr.calls.billing_answer import BillAnswer
from ivr.cli.simulate import simulate as simulate_command
from ivr.forwarder.agreement_notices import AgreementNotice
from ivr.forwarder.notices import PaidNotice
from ivr.places import SHIPPED as ROOT
from tests.patience import PATIENCE_S

DOCS = (ROOT / "docs" / "billing.md").read_text(encoding="utf-8")
SECRET = f"whsec_{base64.b64encode(bytes(range(32))).decode()}"
PAYMENT = "1 12345678# 1 4111111111111111# 1230 123 94105 1 #"


def plain(schema: Any) -> Any:
    """Without what pydantic adds for its own use: titles, defaults, and the docstrings of classes."""
    if isinstance(schema, list):
        return [plain(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    is_model = schema.get("type") == "object"
    left_out = {"title", "default", *(["description"] if is_model else [])}
    return {name: plain(value) for name, value in schema.items() if name not in left_out}


@pytest.mark.parametrize("model", [BillAnswer, PaidNotice, AgreementNotice])
def test_the_schema_in_the_docs_is_the_one_that_is_read_and_sent(model: type[BaseModel]):
    written = re.search(rf"<!-- schema: {model.__name__} -->\n```json\n(.*?)```", DOCS, re.DOTALL)
    assert written is not None
    assert json.loads(written[1]) == plain(model.model_json_schema())


@contextmanager
def endpoint_of_the_docs(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The address of the docs' own endpoint, and its variables."""
    monkeypatch.setenv("BILLING_SECRET", SECRET)
    code = re.search(r"```python\n(.*?)```", DOCS, re.DOTALL)
    assert code is not None
    names: dict[str, Any] = {"__name__": "endpoint"}
    exec(code[1], names)
    names["Billing"].log_message = lambda *_: None
    with ThreadingHTTPServer(("127.0.0.1", 0), names["Billing"]) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/bills", names
        server.shutdown()


def simulate(url: str, var: Path) -> str:
    settings = {"BILLING_URL": url, "VAR": str(var), "NO_COLOR": "1"}
    done = CliRunner().invoke(simulate_command, ["--keys", PAYMENT], env=settings)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_simulated_call_pays_a_bill_of_the_docs_endpoint_which_then_owes_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    with endpoint_of_the_docs(monkeypatch) as (url, endpoint):
        first = simulate(url, tmp_path)
        assert "You owe 42 dollars and 50 cents" in first
        assert "on record: paid" in first
        assert "not told" not in first
        assert endpoint["owed"] == {"12345678": 0, "23456789": 12000}
        assert "there is nothing to pay" in simulate(url, tmp_path)


def test_the_docs_endpoint_refuses_what_we_have_not_signed(monkeypatch: pytest.MonkeyPatch):
    with endpoint_of_the_docs(monkeypatch) as (url, endpoint):
        headers = {"webhook-id": "paid-1", "webhook-timestamp": "1767225600", "webhook-signature": "v1,AAAA"}
        assert httpx.post(url, json={}, headers=headers, trust_env=False, timeout=PATIENCE_S).status_code == 401
        assert endpoint["counted"] == set()
