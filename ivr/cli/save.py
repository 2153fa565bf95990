"""`save`: a call on record as a call file; the page's "Save as test" runs it."""

from pathlib import Path

import click

from ivr.calls.assembly import read_folder
from ivr.calls.number_keys import number_seals
from ivr.errors import RecordError
from ivr.logs import set_up_logging
from ivr.settings import load_settings
from ivr.store import open_store


@click.command()
@click.argument("call")
@click.option(
    "--to", "file", metavar="FILE", type=click.Path(path_type=Path), help="Write it here, not to the terminal."
)
def save(call: str, file: Path | None) -> None:
    """Write CALL, by its id in the list of calls, as a call file for `pytest`.

    It is gone through again with stand-ins for account, card and caller, and checked against the record; nothing is charged.
    """
    from ivr.testing.saved_call import Saver

    if file is not None and file.exists():
        raise RecordError(f"{file} is there already: choose another name")
    settings = load_settings()
    found = read_folder(settings.flows)
    assert found.prompts is not None
    store = open_store(settings.database_url, numbers=number_seals(settings))
    set_up_logging("critical", "text")  # what the rehearsal logs is not the line's
    text = Saver(found.flows, found.prompts, settings.accounts, store).call_file(call)
    if file is None:
        click.echo(text, nl=False)
    else:
        file.write_text(text, encoding="utf-8")
