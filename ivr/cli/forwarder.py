"""`forwarder`: the process that goes to the banks, as a command like the others."""

import click

from ivr.forwarder import process


@click.command()
def forwarder() -> None:
    """Take committed payments to the banks and texts to callers, until SIGTERM or Ctrl-C.

    Any number of these may share a database, on one machine or on many.
    """
    process.main()
