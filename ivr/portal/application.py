"""The portal's own WSGI application, from the settings."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial

import structlog
from flask import Flask, Response, current_app, redirect, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from ivr import metrics
from ivr.bank import load_banks
from ivr.calls import flow_of
from ivr.calls.alert_settings import what_raises
from ivr.calls.assembly import around, read_secret
from ivr.calls.emailing import emailing
from ivr.calls.live_flows import LiveFlows
from ivr.calls.notice_settings import notice_kinds
from ivr.calls.number_keys import number_seals
from ivr.calls.receipts import zone_at
from ivr.calls.resending import Resender
from ivr.calls.results import result_subject, result_words
from ivr.calls.texting import texting
from ivr.flow.compiled import Flow
from ivr.flow.compiler import Around
from ivr.hangup import on_hangup
from ivr.incidents import LineKeys
from ivr.logs import set_up_logging
from ivr.portal.api import api, is_of_api, of_fault, of_http
from ivr.portal.credentials import PortalKeyFile, renew_portal_key
from ivr.portal.finding import Finder
from ivr.portal.flow_drafts import FlowEditing, TryingPhone
from ivr.portal.guard import READING, plain
from ivr.portal.identity_provider import provider_of
from ivr.portal.modifications import Asker
from ivr.portal.pages import Pages
from ivr.portal.publishing import Publisher
from ivr.portal.signing_in import SignIn
from ivr.portal.single_sign_on import SingleSignOn
from ivr.portal.site import protect, site_of, within
from ivr.portal.views import portal
from ivr.settings import Settings, load_settings
from ivr.store import Store, hash_of_caller, open_store
from ivr.words.phrases import Prompts

log = structlog.get_logger()
LONGEST_FORM = 120 * 1024  # bytes, of a draft of a flow with its prompts; `ivr.web` takes no more than 128 kB

# By the beginning of a page's address.
NOT_THERE = {
    "/payments/": "there is no payment by this reference: search for it under Payments",
    "/calls/": "there is no call by this id: search for it under Calls",
    "/days": "a day is written year, month and day: 2026-12-31",
    "/flows/": "there is no such flow, or no such version of it: Flows has all of them",
    "/drop-off": "there is no such flow, or no such span: choose one on the page",
    "/prompts": "there is no such flow, or no such span: choose one on the page",
    "/requests/": "nothing waits by this id any more: see what does under Second person",
}


def create_portal(settings: Settings | None = None, phone: TryingPhone | None = None) -> Flask:
    """`phone`: what drafts of flows are tried on. For a listener of its own: whatever is in front of the webhooks cannot be made to show this."""
    settings = settings or load_settings()
    set_up_logging(settings.log_level, settings.log_format)
    store = open_store(
        settings.database_url, settings.web_threads, notice_kinds(settings), number_seals(settings, makes=True)
    )
    site, keys = site_of(settings), settings.var / "keys"
    codes_key = PortalKeyFile(keys)
    codes_key()  # what is wrong with it is said at start
    signing_in = SignIn(store, codes_key, site.ends, now)
    finder = Finder(store, partial(hash_of_caller, read_secret(keys / "fingerprint.key")))
    asker = Asker(store, lambda: load_banks(settings.banks, settings.var), site, now, not settings.billing_url)
    flows = LiveFlows(store)
    resender = resender_of(settings, store, flows)
    line_keys = LineKeys(settings, store, renew_portal_key)
    pages = Pages(site, store, finder, asker, looking(flows), resender, what_raises(settings), line_keys)
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = app.config["MAX_FORM_MEMORY_SIZE"] = LONGEST_FORM
    provider = provider_of(settings, site.address, now)
    single_sign_on = SingleSignOn(signing_in, provider) if provider else None
    publisher = Publisher(store, checked_against(settings), now, settings.takes_two_authors)
    app.register_blueprint(portal(site, signing_in, pages, FlowEditing(publisher, phone), single_sign_on))
    app.register_blueprint(api(pages, signing_in, publisher))
    add_health(app, store)
    add_errors(app)
    on_hangup(lambda: None)  # it has no keys to read again, and the signal must not end it
    return app


def looking(flows: LiveFlows) -> Callable[[], Mapping[str, Flow]]:
    """Each time with what was published since."""

    def look() -> Mapping[str, Flow]:
        flows.look()
        return flows

    return look


def checked_against(settings: Settings) -> Callable[[], Around]:
    """The banks and settings of now, as the command `flows publish` has them."""
    return lambda: around(load_banks(settings.banks, settings.var), settings)


def resender_of(settings: Settings, store: Store, flows: LiveFlows) -> Resender:
    """In the words that the forwarder would write."""

    def prompts_of(version: str) -> Prompts:
        flows.look()
        return flows.prompts_of(version)

    write = result_words(prompts_of, settings.merchant_name, lambda call: zone_at(flow_of(flows, call)))
    head = result_subject(prompts_of, settings.merchant_name)
    can_text, can_email = texting(settings, store.text_trouble), emailing(settings, store.email_trouble)
    return Resender(store, prompts_of, write, head, can_text, can_email)


def now() -> datetime:
    return datetime.now(UTC)


def add_health(app: Flask, store: Store) -> None:
    @app.get("/healthz")
    def healthz() -> Response:
        """The process answers, and its database does; for whatever watches it, without a sign-in."""
        store.ping()
        return Response("ok\n", mimetype="text/plain")


def add_errors(app: Flask) -> None:
    """Each is one clear line; none carries what was sent."""

    @app.errorhandler(Exception)
    def fault(error: Exception) -> Response:
        metrics.FAULTS.labels(type(error).__name__).inc()
        log.error("fault in the portal", kind=type(error).__name__)
        if is_of_api():
            return of_fault()
        # Without a template, which could be what is not working.
        return Response("something of ours is not working: try again\n", 503, mimetype="text/plain")

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> AnyResponse:
        if is_of_api():
            return of_http(error)
        if error.code == 405 and (page := page_above()):
            return protect(redirect(page, 303), is_secure=request.is_secure)
        words = what_is_not_there() if error.code == 404 else f"{error.code} {error.name}"
        return protect(plain(words, error.code or 500), is_secure=request.is_secure)


def what_is_not_there() -> str:
    """By the page that was asked for. What stood in the address is not said again."""
    rule = request.url_rule.rule if request.url_rule else ""
    return next((words for start, words in NOT_THERE.items() if rule.startswith(start)), "there is no such page")


def page_above() -> str:
    """Of an address that only forms are sent to, as a browser asks for it that is reloaded or goes back; "" where there is none."""
    above = request.path.rpartition("/")[0]
    if not (above.isascii() and above.isprintable()):
        return ""
    try:
        current_app.create_url_adapter(request).match(above, method="GET")  # type: ignore[union-attr]
    except HTTPException:
        return ""
    return within(above) if request.method in READING else ""
