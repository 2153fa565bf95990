"""The ways in which a test's call reaches the engine: in-process, through signed webhooks over the web application, or SIP."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, get_args

import httpx
from flask import Flask, Response

from ivr.channels.simulator import CallerLine, LineReply
from ivr.channels.twilio import Forbidden, Signer, Webhooks, Writer
from ivr.core.actions import Phrase
from ivr.errors import ConfigError
from ivr.extras import require_extra
from ivr.testing.bench import Bench
from ivr.testing.key_methods import KEY_METHODS, KeyMethod
from ivr.testing.twilio import Application, DialStatus, TwilioCall

Channel = Literal["core", "webhooks", "sip"]
CHANNELS: tuple[Channel, ...] = get_args(Channel)

if TYPE_CHECKING:
    from ivr.testing.sip import SipLine

PUBLIC_URL, TOKEN = (
    "https://pay.example.com",
    "0123456789abcdef0123456789abcdef",
)  # signs between this process and itself

# What Twilio reports of a person who does so.
DIAL_STATUSES: dict[str, DialStatus] = {
    "answers": "completed",
    "does not answer": "no-answer",
    "is busy": "busy",
    "cannot be reached": "failed",
}


def dial(channel: Channel, bench: Bench, flow: str, ani: str, keys: KeyMethod = "events") -> tuple[str, CallerLine]:
    """The call's id and its line, not yet begun. `keys` is how a telephone sends them, where there is one (SIP)."""
    if keys not in KEY_METHODS:
        raise ConfigError(f"keys as '{keys}': choose among {', '.join(KEY_METHODS)}")
    if channel == "core":
        line = bench.dial(flow, ani)
        assert bench.line is not None
        return bench.line.call_id, line
    if channel == "webhooks":
        through = WebhookLine(bench, flow, ani)
        return through.call_id, through
    if channel == "sip":
        ringing = sip_line(bench, flow, ani, keys)
        return ringing.call_id, ringing
    raise ConfigError(f"channel '{channel}': choose among {', '.join(CHANNELS)}")


def sip_line(bench: Bench, flow: str, ani: str, keys: KeyMethod) -> "SipLine":
    """ConfigError says what to install where there is no SIP."""
    require_extra("trunk", "the channel sip")
    from ivr.testing.sip import SipLine, the_trunk

    line = SipLine(the_trunk(), bench, flow, ani, keys)
    bench.at_end.append(line.hang_up)
    return line


@dataclass
class SpokenWords:
    """TwiML has words only: which prompt they are of is noted where they are made."""

    bench: Bench
    names: dict[str, str] = field(default_factory=dict)

    def __call__(self, phrase: Phrase) -> str:
        words = self.bench.workbench.prompts.words(phrase)
        self.names[words] = phrase.name
        return words


class WebhookLine:
    """A signed Twilio in front of the product's own web application, in this process, by the bench's clock."""

    def __init__(self, bench: Bench, flow: str, ani: str) -> None:
        self._bench, self._words = bench, SpokenWords(bench)
        http = httpx.Client(transport=httpx.WSGITransport(app=web_application(bench, self._words)), base_url=PUBLIC_URL)
        url = f"{PUBLIC_URL}/twilio/voice/{flow}"
        self._line = TwilioCall(Application(http, url, TOKEN, status_callback="/twilio/status"), ani)
        self._hold_s = 0.0
        self.call_id = self._line.call_id

    def begin(self) -> LineReply:
        return self._named(self._ringing.begin())

    def press(self, keys: str) -> LineReply:
        self._bench.workbench.clock.advance(1)
        return self._named(self._ringing.press(keys))

    def stay_silent(self) -> LineReply:
        self._bench.workbench.clock.advance(self._bench.workbench.flow.head.patience.first_key)
        return self._named(self._ringing.stay_silent())

    def wait(self) -> LineReply:
        self._bench.workbench.work()
        self._bench.workbench.clock.advance(max(self._hold_s, 1))
        self._bench.workbench.work()
        return self._named(self._ringing.wait())

    def hang_up(self) -> None:
        self._line.hang_up()

    @property
    def _ringing(self) -> TwilioCall:
        """With what the person does at this moment."""
        self._line.dial_status = DIAL_STATUSES[self._bench.person]
        return self._line

    def _named(self, reply: LineReply) -> LineReply:
        self._hold_s = reply.wait_s
        names = self._words.names
        return replace(reply, heard=[replace(one, name=names.get(one.words, "")) for one in reply.heard])


def web_application(bench: Bench, words: SpokenWords) -> Flask:
    """The webhooks alone, over the bench's store."""
    workbench = bench.workbench
    webhooks = Webhooks(workbench.runner, workbench.store, Signer(TOKEN), Writer(words), PUBLIC_URL, workbench.clock)
    app = Flask(__name__, static_folder=None)
    app.register_blueprint(webhooks.blueprint())

    @app.errorhandler(Forbidden)
    def forbidden(error: Forbidden) -> Response:
        return Response(f"{error}\n", 403, mimetype="text/plain")

    return app
