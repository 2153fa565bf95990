"""The web application over the test bench, with a Twilio that signs; requests go through WSGI, not a socket."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlencode

import httpx
from flask import Flask

from app import create_app, create_console
from ivr.calls.assembly import Engine
from ivr.settings import load_settings
from ivr.testing.twilio import Application, TwilioCall, signature_of
from tests.benches import Bench

TOKEN = "0123456789abcdef0123456789abcdef"
PUBLIC = "https://pay.example.com"
CALL_ID = "CA" + "0" * 31 + "1"


@dataclass
class Web:
    app: Flask
    bench: Bench
    http: httpx.Client
    console: httpx.Client

    def sign(self, path: str, body: bytes) -> str:
        return signature_of(TOKEN, PUBLIC + path, dict(parse_qsl(body.decode(), keep_blank_values=True)))

    def post(self, path: str, fields: dict[str, str], **headers: str) -> httpx.Response:
        """Signed, unless the test signs for itself. Connection overrides are Twilio's, and neither sent nor signed."""
        path = path.partition("#")[0]
        body = urlencode({"CallSid": CALL_ID, "From": "+15550100", "To": "+15550199"} | fields).encode()
        signed = {"X-Twilio-Signature": self.sign(path, body), "Content-Type": "application/x-www-form-urlencoded"}
        return self.http.post(path, content=body, headers=signed | headers)

    def line(self, flow: str = "pay-a-bill") -> TwilioCall:
        return TwilioCall(Application(self.http, f"{PUBLIC}/twilio/voice/{flow}", TOKEN, PUBLIC, "/twilio/status"))

    def rows(self) -> list[tuple[object, ...]]:
        """Everything that is kept of calls, to see that nothing has changed."""
        return [(record.id, record.call.to_json()) for record in self.bench.workbench.store.latest_calls(100)]


def make_web(bench: Bench, **settings_changed: str) -> Web:
    environment = {"PUBLIC_URL": PUBLIC, "TWILIO_AUTH_TOKEN": TOKEN, "ENVIRONMENT": "production", "LOG_FORMAT": "json"}
    settings = load_settings(environment | settings_changed)
    workbench = bench.workbench
    # The forwarder on the bench goes by the bench's clock: what the web process commits now must be due there.
    workbench.clock.now = datetime.now(UTC) + timedelta(minutes=1)
    flows = {workbench.flow.name: workbench.flow}
    engine = Engine(flows, workbench.prompts, workbench.store, workbench.runner)
    app = create_app(settings, engine)
    http = httpx.Client(transport=httpx.WSGITransport(app=app), base_url=PUBLIC)
    here = httpx.WSGITransport(app=create_console(settings, engine))
    console = httpx.Client(transport=here, base_url=f"http://127.0.0.1:{settings.console_port}")
    return Web(app, bench, http, console)
