"""An application to be called: one in this process (WSGI), or one that listens at an address."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin

import httpx

from ivr.testing.twilio.call import Application, TwilioCall

IN_PROCESS = "https://offline.example.com"
DEVELOPMENT_TOKEN = "0" * 32


def twilio_client(base_url: str) -> httpx.Client:
    """Twilio's own patience: 15 s for an answer."""
    return httpx.Client(base_url=base_url, timeout=15, trust_env=False)


def call_application(
    application: str | Callable[..., Any],
    path: str = "",
    *,
    auth_token: str = DEVELOPMENT_TOKEN,
    public_url: str = "",
    status_callback: str = "",
    ani: str = "+15550100",
) -> TwilioCall:
    """A call that has not begun. `application`: WSGI, or where it listens; `public_url`: what it believes its address
    to be, which is what signatures are over."""
    if isinstance(application, str):
        http, url = twilio_client(application), urljoin(application, path) if path else application
    else:
        base = public_url or IN_PROCESS
        http = httpx.Client(transport=httpx.WSGITransport(app=application), base_url=base)
        url = urljoin(base, path or "/")
    return TwilioCall(Application(http, url, auth_token, public_url, status_callback), ani)
