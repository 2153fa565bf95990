"""The web server: what listens for HTTP, and what it lets a stranger do to it. It knows nothing of calls or payments.

A request is read by an event loop and handed to a thread only when it is complete, so a client that is slow costs
a timer and a descriptor and holds nobody up. Every connection is in one of three states:

    waiting   nothing, or a part of a request, has arrived     ends after `read_s` in all, however it drips
    worked on the request is complete, a thread answers it     ends with the answer
    idle      answered, kept open for the next request         ends after `IDLE_S`

A worker has a fixed number of connections. One more than that takes the place of the one that has waited or idled the
longest; a connection that is worked on is never given up. HTTP/1 only: HTTP/2 lets one connection open many requests.
"""

from ivr.web.connections import ConnectionLimits
from ivr.web.server import WIPED_MEMORY, Site, serve

__all__ = ["WIPED_MEMORY", "ConnectionLimits", "Site", "serve"]
