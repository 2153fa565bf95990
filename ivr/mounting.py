"""Several merchants in one process of each kind: an application for each, made of its own settings, below its own path.

    PORT         /m/acme-water/twilio/...     the application that `ivr.app` makes of acme-water's settings
    PORTAL_PORT  /m/acme-water/...            its portal
    CONSOLE_PORT /metrics                     what all have counted, for whoever runs the machine

Nothing is looked up by a merchant's name while a request is answered: the path finds the application, and an application has
one merchant's database, keys and users and knows no other's. One whose settings, keys or flows are wrong is left out and
answers 503; the others serve.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

import structlog
from flask import Flask, Response
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from ivr import metrics
from ivr.app import add_errors, create_app
from ivr.calls.assembly import Engine, assemble
from ivr.channels.twilio import PlainPaths
from ivr.console import is_local, is_loopback, refuse
from ivr.errors import ConfigError, IvrError
from ivr.hangup import on_hangup, reload_or_log
from ivr.installation import InstallationSettings, installation_here
from ivr.loading import load
from ivr.logs import fault_name, set_up_logging
from ivr.merchants.serving import serving, tell_left_out
from ivr.settings import Settings
from ivr.store import Store, open_store

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = structlog.get_logger()
MakeApplication = Callable[[Settings], "WSGIApplication"]


def create_web(found: InstallationSettings | None = None) -> "WSGIApplication":
    """The webhooks of all; without arguments from the environment, as the web server calls it."""
    found = found or _here()
    engines: dict[str, Engine] = {}

    def make(settings: Settings) -> "WSGIApplication":
        engine = engines[settings.place.name] = assemble(settings)
        engine.follow()
        return create_app(settings, engine)

    mounts = _mounted(found, make)
    on_hangup(lambda: _reload(engines))
    front = _front()
    add_health_of_all(front, {name: engine.store for name, engine in engines.items()})
    return PlainPaths(DispatcherMiddleware(front, mounts))


def create_portals(found: InstallationSettings | None = None) -> "WSGIApplication":
    """The portals of all. At the root there is nothing: no visitor is told which merchants there are."""
    mounts = _mounted(found or _here(), load("ivr.portal").create_portal)
    return DispatcherMiddleware(_front(), mounts)


def create_installation_console(found: InstallationSettings | None = None) -> Flask:
    """For this machine: the merchants with what they have counted. A merchant's own page is its own console (docs/merchants.md)."""
    found = found or _here()
    set_up_logging(found.shared.log_level, found.shared.log_format)
    stores = {name: open_store(settings.database_url) for name, settings in found.merchants.items()}
    app = _front()

    @app.get("/")
    def show_merchants() -> Response:
        if not is_local():
            return refuse()
        listed = [
            f"{name}  {one.base_url}{one.place.mount}/twilio/voice/  {one.portal_address}/"
            for name, one in found.merchants.items()
        ]
        return Response("\n".join([*listed, ""]), mimetype="text/plain")

    @app.get("/metrics")
    def show_metrics() -> Response:
        if is_loopback(found.shared.console_host) and not is_local():
            return refuse()
        for name, store in stores.items():
            with serving(name):
                for kind, depth in store.outbox_depth().items():
                    metrics.OUTBOX.labels(kind).set(depth)
        body, content_type = metrics.exposition()
        return Response(body, content_type=content_type)

    add_health_of_all(app, stores)
    return app


def _here() -> InstallationSettings:
    found = installation_here()
    if found is None:
        raise ConfigError("there is no merchants.yaml here")
    return found


def _mounted(found: InstallationSettings, make: MakeApplication) -> dict[str, "WSGIApplication"]:
    """By path. ConfigError with everything that is wrong where not one merchant can be served."""
    set_up_logging(found.shared.log_level, found.shared.log_format)
    mounts: dict[str, WSGIApplication] = {}
    problems = {name: list(lines) for name, lines in found.problems.items()}
    for name, settings in found.merchants.items():
        with serving(name):
            try:
                mounts[settings.place.mount] = ServedMerchant(name, make(settings))
            except IvrError as error:
                problems[name] = str(error).splitlines()
    tell_left_out(problems, is_any_served=bool(mounts))
    mounts |= {found.installation.called(name).mount: away for name in problems}
    return mounts


class ServedMerchant:
    """A merchant's application, so that its log lines and counts have its name."""

    def __init__(self, name: str, application: "WSGIApplication") -> None:
        self.name, self.application = name, application

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        with serving(self.name):
            return self.application(environ, start_response)


def away(_environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Of a merchant that cannot be served: Twilio goes to the number's fallback, banks tell it again."""
    start_response("503 Service Unavailable", [("Content-Type", "text/plain; charset=utf-8")])
    return [b"something of ours is not working: try again\n"]


def _front() -> Flask:
    """What is below no merchant's path."""
    app = Flask(__name__, static_folder=None)
    add_errors(app)
    return app


def add_health_of_all(app: Flask, stores: Mapping[str, Store]) -> None:
    @app.get("/healthz")
    def healthz() -> Response:
        """The process answers."""
        return Response("ok\n", mimetype="text/plain")

    @app.get("/readyz")
    def readyz() -> Response:
        """All databases answer. How many do not is told, not whose: each merchant has a /readyz of its own."""
        failed = [name for name, store in stores.items() if not _answers(name, store)]
        if failed:
            return Response(f"database: {len(failed)} of {len(stores)} do not answer\n", 503, mimetype="text/plain")
        return Response("ready\n", mimetype="text/plain")


def _answers(name: str, store: Store) -> bool:
    try:
        store.ping()
    except Exception as error:
        with serving(name):
            log.error("not ready", reason=fault_name(error))
        return False
    return True


def _reload(engines: Mapping[str, Engine]) -> None:
    """Of each by itself: what is wrong with one's new keys is no reason to leave another its old ones."""
    for name, engine in engines.items():
        with serving(name):
            reload_or_log(engine.reload_keys)
