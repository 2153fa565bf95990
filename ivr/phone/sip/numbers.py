"""One spelling of a called or calling number, however a URI or an operator wrote it; which flow answers is not known here."""

import re
from urllib.parse import unquote

# RFC 3966 3: visual separators mean nothing. A name such as `pay-desk` is no number and stays as it is.
SEPARATORS = re.compile(r"[-.() ]")
NUMBER = re.compile(r"\+?[0-9*#]+", re.ASCII)


def plain_number(text: str) -> str:
    """`%2B1-555-123-4567` as `+15551234567`; `text` is a URI's user part without its parameters."""
    opened = unquote(text)
    if not opened.isprintable() or "\ufffd" in opened:
        return text  # an escaped line break or broken UTF-8: not for a log or a database
    bare = SEPARATORS.sub("", opened)
    return bare if NUMBER.fullmatch(bare) else opened
