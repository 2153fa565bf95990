"""Who is shown the page, and may use its phone: this machine alone, asked by its own name."""

import ipaddress
from collections.abc import Mapping

from flask import Response, request


def is_local() -> bool:
    """Of the request that is being answered.

    The second lock: the first is that this is not the port that Twilio's requests come to.
    """
    return is_from_here(request.remote_addr or "", {name.lower(): value for name, value in request.headers})


def is_from_here(address: str, headers: Mapping[str, str]) -> bool:
    """Asked for by this machine's own name and from itself: a proxy's visitors and a rebound DNS name are not.

    `headers` by their names in small letters.
    """
    host = headers.get("host", "")
    bare = host if host.endswith("]") else host.rpartition(":")[0]
    name = (bare or host).strip("[]").lower()
    is_forwarded = "x-forwarded-for" in headers or "forwarded" in headers
    return not is_forwarded and is_loopback(address) and (name == "localhost" or is_loopback(name))


def is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def refuse() -> Response:
    words = "this page is shown on the machine itself only: try an ssh tunnel (ssh -L 8001:127.0.0.1:8001)\n"
    return Response(words, 403, mimetype="text/plain")
