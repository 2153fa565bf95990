"""The web applications: one for the world's webhooks, one that shows this machine what is going on."""

import os
from collections.abc import Iterable

import structlog
from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from ivr import metrics
from ivr.bank import load_banks
from ivr.calls.assembly import Engine, assemble
from ivr.calls.bank_news import BankNewsIntake
from ivr.channels.bank_news import bank_news_blueprint
from ivr.channels.browser import BrowserPhone
from ivr.channels.twilio import (
    MAX_BODY,
    AnothersNumber,
    Forbidden,
    PayConnector,
    PlainPaths,
    Signer,
    Webhooks,
    Writer,
    parts_by_url,
    recordings_blueprint,
    tones_blueprint,
)
from ivr.console import LivePages, PhonePage, console, is_from_here, is_local, is_loopback, refuse
from ivr.errors import PeerError
from ivr.logs import fault_name, set_up_logging
from ivr.settings import Settings, load_settings
from ivr.store import Store
from ivr.voice import Playing

log = structlog.get_logger()


def create_app(settings: Settings | None = None, engine: Engine | None = None) -> Flask:
    """Without arguments: from the environment, as the WSGI server calls it."""
    settings = settings or load_settings()
    set_up_logging(settings.log_level, settings.log_format)
    engine = engine or watched(settings)
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    signer = Signer(settings.twilio_auth_token)
    playing = Playing(
        engine.prompts_of, settings.flows / "prompts" / "audio", settings.var / "voice", signer.naming_key
    )
    webhooks = Webhooks(
        runner=engine.runner,
        store=engine.store,
        signer=signer,
        writer=Writer(engine.words, parts_by_url(playing, settings.place.mount)),
        base_url=settings.base_url,
        root=settings.place.mount,
        is_anothers=settings.place.is_anothers,
    )
    if settings.twilio_auth_token:
        # An empty token would be a key that everybody knows: a site without Twilio has no webhooks.
        app.register_blueprint(webhooks.blueprint())
        app.register_blueprint(recordings_blueprint(playing))
    connector = PayConnector(engine.runner, engine.store, settings.pay_connector_password)
    app.register_blueprint(connector.blueprint())
    app.register_blueprint(tones_blueprint())
    banks = load_banks(settings.banks, settings.var)
    app.register_blueprint(
        bank_news_blueprint(BankNewsIntake(engine.store, banks, settings.place.environ, bool(settings.billing_url)))
    )
    add_health(app, engine.store)
    add_errors(app)
    app.wsgi_app = PlainPaths(app.wsgi_app)  # type: ignore[method-assign]
    return app


def create_console(settings: Settings | None = None, engine: Engine | None = None) -> Flask:
    """For a listener of its own: a proxy that passes the webhooks on cannot be made to show this."""
    settings = settings or load_settings()
    set_up_logging(settings.log_level, settings.log_format)
    engine = engine or watched(settings)
    app = Flask(__name__, static_folder=None)
    # What `make run` has started beside this process, so that the page can say it.
    running = own_processes(os.environ.get("TONETILL_PROCESSES", "console").split(","), settings.place.name)
    phone = PhonePage(settings, engine.flows, engine.store) if settings.has_browser_phone else None
    pages = LivePages(settings, engine.flows, engine.store, running, engine.flow_trouble)
    app.register_blueprint(console(pages, phone))
    add_metrics(app, engine.store, only_local=is_loopback(settings.console_host))
    add_health(app, engine.store)
    add_errors(app)
    return app


def own_processes(running: Iterable[str], merchant: str) -> list[str]:
    """Without those of other merchants, whose names are behind a dot: `forwarder.acme-water`."""
    parted = ((name, *name.partition(".")[::2]) for name in running)
    own = {(kind if merchant else name): None for name, kind, of in parted if not merchant or of in ("", merchant)}
    return list(own)


def create_console_and_phone() -> tuple[Flask, BrowserPhone | None]:
    """Both of the console's listener, over one engine; the phone is None where the settings leave it out."""
    settings = load_settings()
    engine = watched(settings)
    console_app = create_console(settings, engine)
    if not settings.has_browser_phone:
        return console_app, None
    recordings = settings.flows / "prompts" / "audio"
    return console_app, BrowserPhone(engine, settings.var, recordings, settings.trunk_voice, is_from_here)


def watched(settings: Settings) -> Engine:
    """The process's own engine, which takes up what is published, and says in the log which versions serve."""
    set_up_logging(settings.log_level, settings.log_format)
    engine = assemble(settings)
    engine.watch()
    return engine


def add_health(app: Flask, store: Store) -> None:
    @app.get("/healthz")
    def healthz() -> Response:
        """The process answers."""
        return Response("ok\n", mimetype="text/plain")

    @app.get("/readyz")
    def readyz() -> Response:
        """The database answers too: calls can be taken."""
        try:
            store.ping()
        except Exception as error:
            log.error("not ready", reason=fault_name(error))
            return Response(f"database: {fault_name(error)}\n", 503, mimetype="text/plain")
        return Response("ready\n", mimetype="text/plain")


def add_metrics(app: Flask, store: Store, only_local: bool) -> None:
    @app.get("/metrics")
    def show_metrics() -> Response:
        """All processes' numbers. A listener on a network's address is open to that network: Prometheus is there."""
        if only_local and not is_local():
            return refuse()
        for kind, depth in store.outbox_depth().items():
            metrics.OUTBOX.labels(kind).set(depth)
        body, content_type = metrics.exposition()
        return Response(body, content_type=content_type)


def add_errors(app: Flask) -> None:
    """Each error is one clear line; none carries what was sent."""

    @app.errorhandler(Forbidden)
    def forbidden(error: Forbidden) -> Response:
        metrics.REFUSED.labels("signature").inc()
        log.warning("refused", reason=str(error))
        return Response(f"{error}\n", 403, mimetype="text/plain")

    @app.errorhandler(AnothersNumber)
    def anothers(error: AnothersNumber) -> Response:
        metrics.REFUSED.labels("another merchant's number").inc()
        log.warning("refused", reason=str(error))
        return Response(f"{error}\n", 403, mimetype="text/plain")

    @app.errorhandler(PeerError)
    def peer(error: PeerError) -> Response:
        metrics.REFUSED.labels("malformed").inc()
        log.warning("refused", reason=str(error))
        return Response(f"{error}\n", 400, mimetype="text/plain")

    @app.errorhandler(Exception)
    def fault(error: Exception) -> Response:
        """The database is away, say. Twilio's voice webhooks never come here: they are answered in words."""
        metrics.FAULTS.labels(type(error).__name__).inc()
        log.error("fault", kind=fault_name(error))
        return Response("something of ours is not working: try again\n", 503, mimetype="text/plain")

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response:
        metrics.REFUSED.labels(str(error.code)).inc()
        return Response(f"{error.code} {error.name}\n", error.code or 500, mimetype="text/plain")
