"""The WSGI applications for servers that look for `app` at the top of a clone; they are made in `ivr.app`."""

from ivr.app import create_app, create_console

__all__ = ["create_app", "create_console"]
