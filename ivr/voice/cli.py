"""`python -m ivr prompts`: render, missing, say; the work is in `renderer` and `recordings`."""

import wave
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from dsp import g711
from dsp.dtmf import decode
from ivr.core.actions import Phrase
from ivr.core.events import Value
from ivr.core.money import parse_money
from ivr.errors import ConfigError, FlowError
from ivr.flow.files import terms_of
from ivr.settings import load_settings
from ivr.voice.clips import read_clip
from ivr.voice.loudness import LINE_RATE
from ivr.voice.renderer import VOICE_NAMES, Rendered, Renderer, VoiceName
from ivr.words.phrases import Prompts
from ivr.words.prompt_check import read_prompts

console = Console(highlight=False)
# What `say` fills in where nothing is given: a caller who owes 42.50.
SAMPLE_VALUES = {
    **{"due": "42.50 USD", "min": "5.00 USD", "max": "500.00 USD", "amount": "42.50 USD", "money": "42.50 USD"},
    **{"card_fee": "2.00 USD", "before_fee": "40.50 USD"},
    **{"key": "1", "done": "pound", "clear": "star", "count": "3", "account_number": "12345678", "value": "12345678"},
    **{"brand": "visa", "last4": "1111", "number": "A12345", "confirmation_number": "A12345"},
    **{"major": "42 dollars", "minor": "50 cents"},
}
Command = TypeVar("Command", bound=Callable[..., Any])


@click.group()
def prompts() -> None:
    """What callers hear on lines that we answer ourselves.

    \b
    Make everything ready beforehand:  python -m ivr prompts render
    What a speaker would have to read: python -m ivr prompts missing --language es-MX
    Listen to one prompt:              python -m ivr prompts say pay_full_balance --out balance.wav

    The words are in flows/prompts/<language>.yaml. A recording in flows/prompts/audio/<language>/<name>.wav
    wins over the synthesizer. docs/prompts.md explains slots, recordings and tones.
    """


def common_options(command: Command) -> Command:
    for option in (
        click.option("--prompts", "folder", type=click.Path(path_type=Path), default=lambda: load_settings().flows / "prompts",
                     show_default="flows/prompts", help="The folder with <language>.yaml and audio/."),
        click.option("--cache", type=click.Path(path_type=Path), default=lambda: load_settings().var / "voice",
                     show_default="var/voice", help="Where rendered clips are kept; it may be deleted at any time."),
    ):  # fmt: skip
        command = option(command)
    return command


voice_option = click.option(
    "--voice", type=click.Choice(VOICE_NAMES), default="auto", show_default=True,
    help="espeak: synthesizer, recordings first. recorded: recordings only. tones: no speech. auto: espeak if installed.",
)  # fmt: skip
currency_option = click.option(
    "--currency", default="USD", show_default=True, help="Whose units belong to a full set of recordings."
)
language_option = click.option(
    "--language", "-l", "languages", multiple=True, help="Only this language, such as es-MX; may be given again."
)


@prompts.command()
@voice_option
@currency_option
@language_option
@common_options
def render(voice: VoiceName, currency: str, languages: tuple[str, ...], folder: Path, cache: Path) -> None:
    """Render every fixed piece of every prompt into the cache.

    The trunk does this too when it starts; rendering beforehand makes that instant and finds broken recordings
    before a caller does. Amounts and dates are rendered when they are first needed, in a few milliseconds.
    """
    texts = load(folder)
    chosen = _known(texts, languages)
    renderer = Renderer(texts, cache, folder / "audio", voice, currency=currency)
    lines = renderer.fixed_lines(chosen)
    made = list(track(renderer.ready(chosen), f"rendering ({renderer.voice})", total=len(lines), console=console))
    renderer.close()
    console.print(_summary(made))
    heard = [(clip, keys) for clip in {clip for one in made for clip in one.clips} if (keys := keys_heard(clip))]
    for one in made:
        for clip, keys in heard:
            if clip in one.clips:
                raise ConfigError(f"'{one.words}' ({one.language}) would be heard as the key {keys}; record it anew")


@prompts.command()
@language_option
@currency_option
@common_options
def missing(languages: tuple[str, ...], currency: str, folder: Path, cache: Path) -> None:
    """List what is not recorded: the file each recording would be, and the words to read.

    Recordings are WAV files, one channel, 8 kHz or more, 16 bits. A prompt is used as soon as it is there; numbers,
    money and dates are put together from recordings only when their whole set is, so that one voice says them.
    """
    texts = load(folder)
    renderer = Renderer(texts, cache, folder / "audio", "recorded")
    for language in _known(texts, languages):
        unsaid = renderer.recordings.missing(language, currency)
        console.print(f"[bold]{language}[/]: {len(unsaid)} not recorded in {folder / 'audio' / language}/")
        for sound in unsaid:
            console.print(f"  {sound.recording}.wav", f"[dim]{sound.words}[/]", soft_wrap=True)


@prompts.command()
@click.argument("phrase")
@click.option("--out", type=click.Path(path_type=Path), help="Write what is heard to this WAV file.")
@click.option("--set", "given", multiple=True, metavar="NAME=VALUE", help="A value, such as due='12.34 USD'.")
@voice_option
@language_option
@common_options
def say(
    phrase: str, out: Path | None, given: tuple[str, ...], voice: VoiceName, languages: tuple[str, ...],
    folder: Path, cache: Path,
) -> None:  # fmt: skip
    """Say one prompt in each language, as words and, with --out, as a telephone would carry it.

    \b
    python -m ivr prompts say pay_full_balance --set due="1.01 USD" -l es-MX --out balance.wav
    """
    texts = load(folder)
    phrases = [_phrase(texts, phrase, language, given) for language in _known(texts, languages)]
    for one in phrases:
        console.print(f"[bold]{one.language}[/] {texts.words(one)}", soft_wrap=True)
    if out is not None:
        renderer = Renderer(texts, cache, folder / "audio", voice)
        codes = np.concatenate([renderer.codes(one) for one in phrases])
        renderer.close()
        write_wav(out, codes)
        console.print(f"{out}: {len(codes) / LINE_RATE:.1f} s, voice {renderer.voice}")


def load(folder: Path) -> Prompts:
    """FlowError with every problem of the prompt files."""
    files = sorted(folder.glob("*.yaml"))
    if not files:
        raise ConfigError(f"no prompts in {folder}: each language is a file there, such as en-US.yaml")
    texts, problems = read_prompts([(str(file), _text(file)) for file in files], terms_of())
    if texts is None:
        raise FlowError("\n".join(map(str, problems)))
    return texts


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FlowError(f"cannot read {file} ({error.__class__.__name__}); save it as UTF-8 text") from None


def keys_heard(clip: Path) -> str:
    """What the tone decoder would take the clip for; a prompt must never be a key."""
    return "".join(key.key for key in decode(g711.decode(read_clip(clip), "ulaw"), LINE_RATE))


def write_wav(path: Path, codes: np.ndarray[Any, np.dtype[np.uint8]]) -> None:
    try:
        with path.open("wb") as sink, wave.open(sink, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(LINE_RATE)
            file.writeframes(g711.decode(codes, "ulaw").tobytes())
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}") from None


def _known(texts: Prompts, languages: Iterable[str]) -> list[str]:
    unknown = [language for language in languages if language not in texts.languages()]
    if unknown:
        raise ConfigError(f"there are no prompts in {', '.join(unknown)}; there are {', '.join(texts.languages())}")
    return list(languages) or texts.languages()


def _phrase(texts: Prompts, name: str, language: str, given: Iterable[str]) -> Phrase:
    values = SAMPLE_VALUES | dict(_pair(one) for one in given)
    if name not in texts.names(language):
        raise ConfigError(f"there is no prompt '{name}' in {language}")
    kinds = {slot.name: slot.kind for slot in texts.slots(language, name)}
    typed = tuple((slot, _typed(slot, kind, values.get(slot, ""))) for slot, kind in kinds.items())
    return Phrase(name, language, typed)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise ConfigError(f"--set {text}: expected a name, '=' and a value")
    return name, value


def _typed(name: str, kind: str, text: str) -> Value:
    if kind != "money" and not (kind == "written" and " " in text):
        return text
    try:
        return parse_money(text)
    except ValueError as error:
        raise ConfigError(f"--set {name}: {error}") from None


def _summary(made: list[Rendered]) -> Table:
    table = Table("language", "source", "pieces", "new", "seconds", title="prompts, ready to play")
    for language, source in sorted({(one.language, one.source) for one in made}):
        rows = [one for one in made if (one.language, one.source) == (language, source)]
        clips = {clip for one in rows for clip in one.clips}
        seconds = sum(clip.stat().st_size for clip in clips) / LINE_RATE
        table.add_row(language, source, str(len(rows)), str(sum(one.fresh for one in rows)), f"{seconds:.1f}")
    return table
