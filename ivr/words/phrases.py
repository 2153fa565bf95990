"""The words of every prompt in every language, from `flows/prompts/<language>.yaml`; sound is made of them in `ivr.voice`."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import zip_longest

from ivr.core.actions import AS_WRITTEN, Phrase
from ivr.core.events import Value
from ivr.errors import FlowError
from ivr.reading.problems import did_you_mean
from ivr.words.numerals import Sound
from ivr.words.spoken import Speaker
from ivr.words.templates import Slot, Template, TemplateText, read_template
from ivr.words.wordings import prompt_of

WORDS_KEPT = 4096
Texts = Mapping[str, Mapping[str, str]]  # language -> prompt name -> text


@dataclass(frozen=True)
class Piece:
    """One part of a phrase: fixed words, or a value (`kind` says which). `text` is written, `sounds` are pronounced."""

    text: str
    kind: str
    sounds: tuple[Sound, ...]


class Prompts:
    """Checked beforehand by `prompt_check`; what a call then gets wrong is a FlowError that names the prompt."""

    def __init__(self, texts: Texts) -> None:
        self._texts = {language: dict(names) for language, names in texts.items()}
        self._speakers = {language: Speaker(language, names) for language, names in self._texts.items()}
        # Most phrases are the same in every call; one with an amount in it is 30 us to put together.
        self._words = lru_cache(WORDS_KEPT)(self._say_words)
        self._templates = {
            language: {name: read_template(text) for name, text in names.items()}
            for language, names in self._texts.items()
        }
        for templates in self._templates.values():
            templates[AS_WRITTEN] = read_template("{text:text}")

    def words(self, phrase: Phrase) -> str:
        """The whole phrase as text: for text-to-speech elsewhere, transcripts, text telephones and SMS."""
        name = self.wording(phrase)
        used = self._used.get((phrase.language, name), frozenset())
        return self._words(phrase.language, name, tuple(item for item in phrase.values if item[0] in used))

    def wording(self, phrase: Phrase) -> str:
        """The name of the words that are said: the best wording of the prompt that the language has."""
        if phrase.endings and phrase.name in self._reworded.get(phrase.language, frozenset()):
            names = self._texts[phrase.language]
            return next((name for end in phrase.endings if (name := f"{phrase.name}{end}") in names), phrase.name)
        return phrase.name

    def _say_words(self, language: str, name: str, values: tuple[tuple[str, Value], ...]) -> str:
        return "".join(piece.text for piece in self.pieces(Phrase(name, language, values)))

    @cached_property
    def _reworded(self) -> dict[str, frozenset[str]]:
        """The prompts that have other wordings: most have none, and need not be looked for."""
        return {
            language: frozenset(prompt for name in names if (prompt := prompt_of(name, names)) != name)
            for language, names in self._texts.items()
        }

    @cached_property
    def _used(self) -> dict[tuple[str, str], frozenset[str]]:
        """The values that each prompt speaks: the others make no difference to its words."""
        return {
            (language, name): frozenset(slot.name for slot in template.slots)
            for language, templates in self._templates.items()
            for name, template in templates.items()
        }

    def pieces(self, phrase: Phrase) -> list[Piece]:
        name = self.wording(phrase)
        said = phrase if name == phrase.name else Phrase(name, phrase.language, phrase.values)
        return list(self._pieces(said, self._template(said)))

    def fixed_pieces(self, language: str, name: str) -> list[Piece]:
        """The parts of a prompt that are the same in every call: what can be rendered or recorded beforehand."""
        template = self._templates[language][name]
        return [_literal_piece(name, part, template) for part in template.parts if isinstance(part, TemplateText)]

    def spoken(self, language: str, name: str) -> frozenset[str]:
        """The values that a prompt speaks; KeyError for a prompt that the language does not have."""
        return self._used[language, name]

    def slots(self, language: str, name: str) -> tuple[Slot, ...]:
        return self._templates[language][name].slots

    def parts(self, phrase: Phrase) -> list[str]:
        """For each of its pieces the value that it says, or "" for fixed words."""
        named = Phrase(self.wording(phrase), phrase.language)
        return [part.name if isinstance(part, Slot) else "" for part in self._template(named).parts]

    def speaker(self, language: str) -> Speaker:
        return self._speakers[language]

    def languages(self) -> list[str]:
        return sorted(self._texts)

    def texts(self, languages: Collection[str], names: Collection[str]) -> Texts:
        """The prompts of these names as they are written, as far as a language has them."""
        return {
            language: {name: text for name, text in self._texts.get(language, {}).items() if name in names}
            for language in languages
        }

    def names(self, language: str) -> frozenset[str]:
        return frozenset(self._texts.get(language, ()))

    @cached_property
    def by_language(self) -> dict[str, frozenset[str]]:
        """As the flow compiler wants it, to check the prompts that a flow names."""
        return {language: self.names(language) for language in self.languages()}

    def missing(self) -> dict[str, list[str]]:
        """For each language the names that only others have."""
        every = frozenset[str]().union(*self.by_language.values())
        return {language: sorted(every - names) for language, names in self.by_language.items()}

    def _template(self, phrase: Phrase) -> Template:
        templates = self._templates.get(phrase.language)
        if templates is None:
            raise FlowError(f"there are no prompts in {phrase.language}: add flows/prompts/{phrase.language}.yaml")
        if phrase.name not in templates:
            cure = did_you_mean(phrase.name, templates) if len(templates) < 20 else "add it to the language's file"
            raise FlowError(f"prompt '{phrase.name}' is missing in {phrase.language} ({cure})")
        return templates[phrase.name]

    def _pieces(self, phrase: Phrase, template: Template) -> Iterator[Piece]:
        values = dict(phrase.values)
        for part, following in zip_longest(template.parts, template.parts[1:]):
            if isinstance(part, TemplateText):
                yield _literal_piece(phrase.name, part, template)
            else:
                yield _with_one_stop(self._value_piece(phrase, part, values), following)

    def _value_piece(self, phrase: Phrase, slot: Slot, values: dict[str, Value]) -> Piece:
        place = f"prompt '{phrase.name}' ({phrase.language})"
        if slot.name not in values:
            raise FlowError(f"{place} needs '{slot.name}', which is not known at this point of the call")
        try:
            speech = self._speakers[phrase.language].say(slot.kind, values[slot.name])
        except ValueError:
            # `from None`: the error's own text quotes the value, which may be what a caller keyed in.
            raise FlowError(f"{place}: '{slot.name}' cannot be said as {slot.kind}") from None
        return Piece(speech.text, slot.kind, speech.sounds)


def _with_one_stop(piece: Piece, following: TemplateText | Slot | None) -> Piece:
    """A value may end with a full stop of its own (5:30 p.m., Acme Inc.), and so does the sentence that it is the last of."""
    if isinstance(following, TemplateText) and following.text.startswith(".") and piece.text.endswith("."):
        return replace(piece, text=piece.text[:-1])
    return piece


def _literal_piece(name: str, part: TemplateText, template: Template) -> Piece:
    recording = f"{name}.{part.number}" if template.slots else name
    return Piece(part.text, "literal", (Sound(part.text.strip().lstrip(".,;:!?) "), recording),))
