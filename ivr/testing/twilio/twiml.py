"""A TwiML document read strictly: every mistake at once, each with its line and cure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from xml.parsers import expat

from ivr.errors import PeerError
from ivr.reading.problems import did_you_mean
from ivr.testing.twilio.verbs import LAST, MOST_BYTES, MOST_SAID, NOT_OFFLINE, SSML, TOP, VERBS, Verb

XML_TYPES = ("text/xml", "application/xml", "text/html")  # all of them are read as TwiML


class TwimlError(PeerError):
    """What came is no TwiML that Twilio would play as it is meant."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass
class Element:
    name: str
    line: int
    attributes: dict[str, str] = field(default_factory=dict)
    inside: list["Element"] = field(default_factory=list)
    text: str = ""

    def get(self, name: str, otherwise: str = "") -> str:
        return self.attributes.get(name, otherwise)


@dataclass(frozen=True)
class Document:
    verbs: Sequence[Element]


def read_twiml(text: str, content_type: str = "text/xml") -> Document:
    """TwimlError lists every problem."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in XML_TYPES:
        raise TwimlError([f"content type '{kind or 'none'}': expected text/xml (Twilio's error 12300)"])
    if len(text.encode()) > MOST_BYTES:
        raise TwimlError([f"{len(text.encode())} bytes: at most {MOST_BYTES} (Twilio's error 11750)"])
    root = _parse(text)
    if root.name != "Response":
        raise TwimlError([f"line {root.line}: the root is <{root.name}>, expected <Response>"])
    if problems := list(_problems(root)):
        raise TwimlError(problems)
    return Document(root.inside)


def _parse(text: str) -> Element:
    """expat gives each element's line; entities beyond XML's own five are refused."""
    parser, open_elements = expat.ParserCreate(), [Element("", 0)]
    parser.buffer_text = True

    def start(name: str, attributes: dict[str, str]) -> None:
        element = Element(name, parser.CurrentLineNumber, attributes)
        open_elements[-1].inside.append(element)
        open_elements.append(element)

    def words(data: str) -> None:
        open_elements[-1].text += data

    def refuse(*_declared: object) -> None:
        raise TwimlError(["a document type is not TwiML: leave it out"])

    parser.StartElementHandler, parser.CharacterDataHandler = start, words
    parser.EndElementHandler = lambda _name: open_elements.pop()
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(text.encode(), True)
    except expat.ExpatError as error:
        message = expat.ErrorString(error.code)
        raise TwimlError([f"line {error.lineno}: not XML: {message} (Twilio's error 12100)"]) from None
    return open_elements[0].inside[0]


# ---- what is wrong with it


def _problems(root: Element) -> Iterator[str]:
    if root.attributes:
        yield f"line {root.line}: <Response> has no attributes"
    if root.text.strip():
        yield f"line {root.line}: words stand outside of a verb: put them into <Say>"
    for place, element in enumerate(root.inside):
        yield from _misplaced(element, TOP, "Response")
        if element.name in LAST and place + 1 < len(root.inside):
            after = root.inside[place + 1]
            yield f"line {after.line}: <{after.name}> is never reached: it stands after <{element.name}>"


def _misplaced(element: Element, allowed: frozenset[str], parent: str) -> Iterator[str]:
    where = f"line {element.line}:"
    if element.name in SSML and element.name in allowed:
        return
    if element.name in allowed:
        yield from _of_verb(element, VERBS[element.name])
    elif element.name in VERBS:
        yield f"{where} <{element.name}> cannot stand in <{parent}>: there may be {_list(allowed)}"
    elif element.name in NOT_OFFLINE and parent == "Response":
        yield f"{where} <{element.name}> is TwiML, but needs a telephone network: it cannot be tried offline"
    else:
        yield f"{where} <{element.name}> is no TwiML ({did_you_mean(element.name, VERBS)})"


def _of_verb(element: Element, verb: Verb) -> Iterator[str]:
    where = f"line {element.line}: <{element.name}>"
    for name, value in element.attributes.items():
        check = verb.attributes.get(name)
        if check is None:
            yield f"{where} has no attribute '{name}' ({did_you_mean(name, verb.attributes)})"
        elif expected := check(value):
            yield f'{where} {name}="{value}": {expected}'
    for name in sorted(verb.requires - element.attributes.keys()):
        yield f"{where} needs the attribute '{name}'"
    yield from _of_text(element, verb, where)
    for child in element.inside:
        yield from _misplaced(child, verb.inside, element.name)


def _of_text(element: Element, verb: Verb, where: str) -> Iterator[str]:
    words = element.text.strip()
    if not verb.text:
        if words:
            yield f"{where} takes no words: put them into <Say>"
    elif element.name == "Say" and len(words) > MOST_SAID:
        yield f"{where} has {len(words)} characters: at most {MOST_SAID} are spoken"
    elif not words and not element.inside and not (element.name == "Play" and element.get("digits")):
        yield f"{where} is empty: {'say something' if element.name == 'Say' else 'a URL is missing'}"


def _list(names: frozenset[str]) -> str:
    return ", ".join(sorted(names - SSML)) or "nothing"
