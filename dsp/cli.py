"""The command line: reads keys from recordings, masks them, draws them; all work is done in the modules it calls."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, Final, NoReturn, TypeAlias

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from dsp import archive, dtmf, plot
from dsp.errors import DspError
from dsp.mask.live import linear
from dsp.recording import read

Heard: TypeAlias = Callable[[int], None]

EXAMPLES: Final = """
\b
Examples:
  python -m dsp decode call.wav                 the keys in one recording, with their times
  python -m dsp decode calls/ --report r.csv    which recordings of an archive hold keys
  python -m dsp mask call.wav clean.wav         a copy with a beep over every key
  python -m dsp mask calls/ clean/              masked copies of a whole archive
  python -m dsp plot call.wav call.png          a spectrogram with the keys marked

\b
WAV files at any rate from 4 kHz, mono or stereo: PCM of 8 to 32 bits, float, mu-law, A-law; RF64 too, and from a
pipe (/dev/stdin) up to 1 GB.
Exit code 0: done. 1: a recording could not be read or written. 2: the command was not understood.
"""

SECRETS: Final = "Write out which keys were heard. They may be card numbers: mind where the output goes."
FOLDER_SECRETS: Final = "For a folder: " + SECRETS
LEAST_CARD_DIGITS: Final = 12  # the shortest card number, Maestro's
EXISTING: Final = click.Path(exists=True, path_type=Path)
NEW: Final = click.Path(path_type=Path)


class Teaching(click.Group):
    """Turns what is wrong with a recording into one line and exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except DspError as error:
            _stop(str(error))
        except OSError as error:
            _stop(f"{error.filename}: {error.strerror}" if error.filename else str(error))


@click.group(cls=Teaching, epilog=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Telephone keys (DTMF) in recordings: find them, mask them, see them."""


@main.command()
@click.argument("source", type=EXISTING)
@click.option("--report", type=NEW, help="For a folder: also write the table to this CSV file.")
@click.option("--show-keys", is_flag=True, help=SECRETS)
def decode(source: Path, report: Path | None, show_keys: bool) -> None:
    """Print the keys in a recording, or which recordings in a folder hold keys.

    \b
    python -m dsp decode call.wav
    python -m dsp decode calls/ --report report.csv

    A folder's table says how many keys and when, not which: keys in an archive are card data. Of one recording they are
    written out unless there are as many digits in a row as a card number has; --show-keys writes out those too.
    """
    if source.is_dir():
        with _progress("listening", _bytes_below(source)) as heard:
            found = list(archive.inspect_folder(source, heard))
        _finish(found, report, show_keys)
        return
    _file_only(report)
    with _naming(source), _status(f"listening to {source.name}"):
        one = archive.inspect(source)
    keys = "".join(key.key for key in one.keys)
    shown = keys if show_keys else without_cards(keys)
    for key, letter in zip(one.keys, shown, strict=True):
        click.echo(f"{key.start_s:9.3f} s  {1000 * key.duration_s:5.0f} ms  {letter}")
    click.echo(f"{len(one.keys)} keys in {one.seconds:.1f} s: {shown or 'none'}")
    if shown != keys:
        click.echo("There may be a card number among them: --show-keys writes the digits out.", err=True)


@main.command()
@click.argument("source", type=EXISTING)
@click.argument("target", type=NEW)
@click.option("--report", type=NEW, help="For a folder: also write the table to this CSV file.")
@click.option("--show-keys", is_flag=True, help=FOLDER_SECRETS)
@click.option("--thorough", is_flag=True, help="Beep where a veil would do; over about a tenth of all speech.")
@click.option("--no-veil", is_flag=True, help="Leave doubtful speech as it is; keys under loud speech may stay in it.")
def mask(source: Path, target: Path, report: Path | None, show_keys: bool, thorough: bool, no_veil: bool) -> None:
    """Write a copy of a recording, or of every recording in a folder, with a beep over every key.

    \b
    python -m dsp mask call.wav clean.wav
    python -m dsp mask calls/ clean/ --report report.csv

    Rate, channels and format stay; nothing but masked audio changes. Both sides of a stereo call are masked together.
    A masker would rather beep over a word than let a key through: expect a short beep once in some seconds of speech.
    Where speech might hide a key it is veiled: noise takes the place of its middle band, and it stays understandable.
    """
    if source.is_dir():
        with _progress("masking", _bytes_below(source)) as heard:
            found = list(archive.mask_folder(source, target, heard, thorough=thorough, veil=not no_veil))
        _finish(found, report, show_keys)
        return
    _file_only(report, show_keys)
    target = target / source.name if target.is_dir() else target
    with _naming(source):
        recording = read(source)
        with _progress("masking", recording.samples.size) as heard:
            one = archive.mask_file(source, target, heard, recording=recording, thorough=thorough, veil=not no_veil)
    veiled = f", {one.veiled_s:.2f} s veiled" if one.veiled_s else ""
    click.echo(f"{target}: {len(one.keys)} keys heard; {one.masked_s:.2f} s of {one.seconds:.1f} s masked{veiled}")


@main.command(name="plot")
@click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("target", type=NEW)
@click.option("--channel", default=1, show_default=True, help="Which channel of a stereo recording, from 1.")
@click.option("--hide-keys", is_flag=True, help="Mark where keys are without writing which they are.")
@click.option("--show-keys", is_flag=True, help="Write which they are even where a card number may be among them.")
def plot_command(source: Path, target: Path, channel: int, hide_keys: bool, show_keys: bool) -> None:
    """Draw a recording's spectrogram with its keys marked (PNG, SVG or PDF by the name's ending).

    \b
    python -m dsp plot call.wav call.png

    Needs matplotlib: pip install 'tonetill[plot]'
    """
    with _naming(source), _status("drawing"):
        recording = read(source)
        if not 1 <= channel <= len(recording.samples):
            raise DspError(f"has {len(recording.samples)} channels, so no channel {channel}")
        samples = recording.samples[channel - 1]
        keys = dtmf.decode(samples, recording.rate)
        pressed = "".join(key.key for key in keys)
        names = show_keys or not (hide_keys or without_cards(pressed) != pressed)
        plot.draw(linear(samples, None) / 32768, recording.rate, keys, target, title=source.name, names=names)
    click.echo(f"{target}: {len(keys)} keys marked")


def _finish(found: list[archive.ScannedRecording], report: Path | None, show_keys: bool) -> None:
    """The table of a folder; exit code 1 when any recording could not be read."""
    if report:
        archive.write_report(report, found, show_keys)
    if any(one.keys or one.problem for one in found):
        Console().print(_table(found, show_keys))
    unread = sum(bool(one.problem) for one in found)
    holding = sum(bool(one.keys) for one in found)
    masked_s, veiled_s = sum(one.masked_s for one in found), sum(one.veiled_s for one in found)
    masked = f", {masked_s:.1f} s masked, {veiled_s:.1f} s veiled" if masked_s else ""
    click.echo(f"{len(found)} recordings, {holding} hold keys, {unread} could not be read{masked}")
    if unread:
        raise SystemExit(1)


def _table(found: list[archive.ScannedRecording], show_keys: bool) -> Table:
    """The recordings there is something to say about."""
    table = Table("recording", "length", "keys", "at (s)")
    if show_keys:
        table.add_column("which")
    for one in (one for one in found if one.keys or one.problem):
        which = ["".join(key.key for key in one.keys)] if show_keys else []
        table.add_row(str(one.path), f"{one.seconds:.1f} s", str(len(one.keys)), one.problem or one.at_s, *which)
    return table


def without_cards(keys: str) -> str:
    """Every digit as a dot where a card number may be among them: its security code stands right behind it."""
    longest = max(len(entry) for entry in keys.replace("*", "").split("#"))
    if longest < LEAST_CARD_DIGITS:
        return keys
    return "".join("\N{BULLET}" if key.isdecimal() else key for key in keys)


def _file_only(report: Path | None, show_keys: bool = False) -> None:
    if report or show_keys:
        raise click.UsageError("--report and --show-keys are for folders" if show_keys else "--report is for folders")


@contextmanager
def _progress(what: str, total: int) -> Iterator[Heard]:
    """A bar on the terminal's error stream, so that output can be piped."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=total)
        yield lambda more: progress.update(task, advance=more)


def _status(what: str) -> AbstractContextManager[object]:
    console = Console(stderr=True)
    return console.status(what) if console.is_terminal else nullcontext()


@contextmanager
def _naming(source: Path) -> Iterator[None]:
    """Says which file an error is about, once."""
    try:
        yield
    except DspError as error:
        raise DspError(f"{source}: {error}") from error


def _bytes_below(folder: Path) -> int:
    return sum(path.stat().st_size for path in archive.recordings(folder))


def _stop(message: str) -> NoReturn:
    click.echo(f"error: {message}", err=True)
    raise SystemExit(1)
