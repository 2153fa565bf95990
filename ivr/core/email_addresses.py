"""Which texts are e-mail addresses to send to: plain ones alone (RFC 5321 4.1.2, dot-string and domain), nothing quoted."""

import re

EMAIL = "customer.email"  # the look-up value that receipts by e-mail go to
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"(?P<local>{_ATOM}(?:\.{_ATOM})*)@(?:{_LABEL}\.)+{_LABEL}")
LONGEST, LONGEST_LOCAL = 254, 64  # RFC 5321 4.5.3.1


def is_email_address(text: str) -> bool:
    """False for a list, a name with an address, a domain in other letters than ASCII, and whatever has a line break."""
    found = _ADDRESS.fullmatch(text)
    # RFC 2047's encoded words are read wherever they stand: an address that holds one could become another, or a header.
    return found is not None and "=?" not in text and len(text) <= LONGEST and len(found["local"]) <= LONGEST_LOCAL


def mask_email(address: str) -> str:
    """The first character and the domain, for people."""
    local, _, domain = address.partition("@")
    return f"{local[:1]}...@{domain}"
