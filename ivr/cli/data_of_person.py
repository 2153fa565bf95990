"""`data export` and `data delete`: one person's data, by telephone number (docs/personal-data.md)."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from ivr.calls.number_keys import number_seals
from ivr.calls.personal_data import STAYS, PersonalData, called, words_of
from ivr.cli.payment_session import operator, require_terminal, yes
from ivr.errors import ConfigError
from ivr.settings import load_settings
from ivr.store import open_store


@contextmanager
def personal_data() -> Iterator[PersonalData]:
    settings = load_settings()
    numbers = number_seals(settings)
    store = open_store(settings.database_url, numbers=numbers)
    try:
        yield PersonalData(store, numbers.hash)
    finally:
        store.close()


@click.command()
@click.argument("number")
@click.option("--to", "file", type=click.Path(path_type=Path, dir_okay=False), help="A new file, for its owner only.")
def export(number: str, file: Path | None) -> None:
    """Everything that is kept of NUMBER, as JSON: calls, texts, charges, agreements, kept cards, what is remembered. On record in the audit trail."""
    with personal_data() as people:
        people.find(number)
        if file is not None:
            make_private(file)
        text = people.export(number, operator(), datetime.now(UTC))
    if file is None:
        click.echo(text)
    else:
        file.write_text(f"{text}\n", "utf-8")
        click.echo(f"written to {file}")


def make_private(file: Path) -> None:
    try:
        file.touch(mode=0o600, exist_ok=False)
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}") from None


@click.command()
@click.argument("number")
@yes
def delete(number: str, yes: bool) -> None:
    """Delete what is kept of NUMBER, all but what the books need. Refused while a call or charge of theirs is open."""
    with personal_data() as people:
        found = people.find(number)
        if not yes:
            click.echo(
                f"{called(number)}: calls {len(found.calls)}, texts {len(found.texts)}, charges {len(found.charges)}, "
                f"remembered in {len(found.remembered)} flows"
            )
            click.echo("\n".join(f"- {one}" for one in STAYS))
            require_terminal()
            click.confirm("Delete the rest?", abort=True)
        done = people.delete(number, operator(), datetime.now(UTC))
    click.echo(words_of(done))
