"""The file that says how a host writes its messages: read with every problem at its line, and what it means for the codec."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from ivr.bank.verdict import APPROVING, PARTIAL
from ivr.errors import ConfigError
from ivr.places import SHIPPED
from ivr.reading.problems import did_you_mean
from ivr.reading.wrong_shapes import said_plainly
from ivr.reading.yaml_source import Source, read_yaml

SHIPPED_SPEC = SHIPPED / "config" / "iso8583" / "default.yaml"
LONGEST_FRAME = 65_535
EBCDIC = "cp500"
BITMAP_BYTES = 8
LENGTHS = {"ascii": "ascii", "ebcdic": EBCDIC, "bcd": "bcd", "binary": "b"}  # the codec's names of them
CARD_NUMBER, EXPIRY, AMOUNTS = "2", "14", "54"
# Without these no answer can be matched, judged or undone.
NEEDED = {
    "purchase": frozenset({"2", "4", "7", "11", "14", "37", "41", "49"}),
    "reversal": frozenset({"4", "7", "11", "90"}),
    "network": frozenset({"7", "11", "70"}),
}
ANSWERED = frozenset({"4", "11", "37", "38", "39", "49"})
# What `messages` can fill; any other field needs a value in the file.
FILLED = frozenset(
    {"2", "4", "7", "11", "12", "13", "14", "18", "32", "37", "41", "42", "43", "49", "70", "90"}
)  # fmt: skip
FieldNumber = Annotated[str, Field(pattern=r"^([2-9]|[1-9]\d|1[01]\d|12[0-8])$")]
Code = Annotated[str, Field(pattern=r"^\d{3}$")]
Digits = Literal["ascii", "ebcdic", "bcd"]
Text = Literal["ascii", "ebcdic"]


def length_of(written: object) -> tuple[bool, int]:
    """Whether it varies, and how long it is at most."""
    text = str(written)
    number = text.removeprefix("..")
    if not number.isdecimal() or not 1 <= int(number) <= 999:
        raise ValueError("expected a length such as 6, or ..19 for one that varies, from 1 to 999")
    return number != text, int(number)


def has_code(written: str) -> str:
    if "{code}" not in written or "{" in written.replace("{code}", "").replace("{length}", ""):
        raise ValueError("expected a text with {code}, and {length} where the host wants it")
    return written


def ten_hexadecimals(written: str) -> str:
    if written and not re.fullmatch(r"[0-9A-Fa-f]{10}", written):
        raise ValueError('expected ten hexadecimal digits such as "6000010002", or "" for none')
    return written


class SpecPart(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class HostFraming(SpecPart):
    length_counts_itself: bool = False
    tpdu: Annotated[str, AfterValidator(ten_hexadecimals)] = ""
    longest: int = Field(default=2048, ge=64, le=LONGEST_FRAME)


class SpecEncoding(SpecPart):
    digits: Digits = "ascii"
    text: Text = "ascii"
    lengths: Literal["ascii", "ebcdic", "bcd", "binary"] = "ascii"
    bitmaps: Literal["binary", "hex"] = "binary"
    odd_digits: Literal["left", "right"] = "left"


class HostField(SpecPart):
    what: Literal["digits", "text", "binary"] = Field(alias="is")
    length: Annotated[tuple[bool, int], BeforeValidator(length_of)]
    encoding: Digits | None = None


class SecurityCode(SpecPart):
    field: FieldNumber
    written: Annotated[str, AfterValidator(has_code)]


class PartialAnswer(SpecPart):
    """How an answer says that less was approved. `code`: in field 39. `amount_type`: of the entry in field 54 that says how much,
    where field 4 does not (two digits; ISO 8583:1987 leaves them to the parties)."""

    code: str = Field(default=PARTIAL, pattern=r"^[0-9A-Za-z]{2}$")
    amount_type: str = Field(default="", pattern=r"^([0-9]{2})?$")


class NetworkCodes(SpecPart):
    sign_on: Code = "001"
    sign_off: Code = "002"
    echo: Code = "301"


class MessageFields(SpecPart):
    purchase: list[FieldNumber]
    reversal: list[FieldNumber]
    network: list[FieldNumber]


class HostSpec(SpecPart):
    """One host's. Which fields a message has, how each is written, and what the same ones always say."""

    framing: HostFraming = HostFraming()
    encoding: SpecEncoding = SpecEncoding()
    purchase: Literal["0100", "0200"] = "0200"
    values: dict[FieldNumber, str] = {}
    partial: dict[FieldNumber, str] = {}
    partial_answer: PartialAnswer = PartialAnswer()
    security_code: SecurityCode | None = None
    network: NetworkCodes = NetworkCodes()
    messages: MessageFields
    fields: dict[FieldNumber, HostField]

    @model_validator(mode="after")
    def fits_together(self) -> Self:
        problem = next(iter(problems_of(self)), "")
        if problem:
            raise ValueError(problem)
        return self


def problems_of(spec: HostSpec) -> list[str]:
    found = []
    for name, needed in NEEDED.items():
        used = set(getattr(spec.messages, name))
        found += [f"{name}: field {field} is needed" for field in sorted(needed - used, key=int)]
        found += [
            f"{name}: field {field} is not among `fields`" for field in sorted(used - spec.fields.keys(), key=int)
        ]
        found += [
            f"{name}: field {field} needs a value: say it in `values`"
            for field in sorted(used - FILLED - spec.values.keys(), key=int)
        ]
    found += [
        f"fields: {field} is needed to read an answer" for field in sorted(ANSWERED - spec.fields.keys(), key=int)
    ]
    found += [f"partial: field {field} is not among `fields`" for field in spec.partial if field not in spec.fields]
    if spec.partial_answer.amount_type and AMOUNTS not in spec.fields:
        found.append(f"partial_answer: field {AMOUNTS} is not among `fields`")
    if spec.partial_answer.code in APPROVING:
        found.append(f"partial_answer: {spec.partial_answer.code} in field 39 approves all of the amount")
    if spec.security_code and spec.security_code.field not in spec.fields:
        found.append(f"security_code: field {spec.security_code.field} is not among `fields`")
    if any(spec.fields[field].what != "digits" for field in (CARD_NUMBER, EXPIRY) if field in spec.fields):
        found.append("fields: 2 and 14 are digits")
    return found


@dataclass(frozen=True)
class ReadSpec:
    """A host's, with what the codec (pyiso8583) wants to know of it."""

    file: Path
    host: HostSpec
    codec: Mapping[str, Mapping[str, Any]]


def load_spec(file: Path) -> ReadSpec:
    """ConfigError with file, line and cure for everything that is wrong."""
    try:
        source = read_yaml(str(file), file.read_bytes())
    except OSError as error:
        cure = f"`spec` names how the host writes its messages; {SHIPPED_SPEC} is one to copy"
        raise ConfigError(f"{file}: {error.strerror}; {cure}") from None
    if source.problems:
        raise ConfigError("\n".join(map(str, source.problems)))
    try:
        host = HostSpec.model_validate(source.tree)
    except ValidationError as error:
        raise ConfigError("\n".join(explain(source, error))) from None
    return ReadSpec(file, host, codec_spec(host))


def explain(source: Source, error: ValidationError) -> list[str]:
    lines = []
    for found in error.errors(include_input=False, include_url=False, include_context=False):
        path = tuple(part for part in found["loc"] if part != "[key]")
        message, cure = said_plainly(found["type"], found["msg"]), ""
        if found["type"] == "extra_forbidden":
            message, cure = f"unknown key '{path[-1]}'", did_you_mean(str(path[-1]), known_beside(path))
        elif found["type"] == "missing":
            message = f"'{path[-1]}' is missing"
        elif not path and ":" in message:
            # Of the spec as a whole: the message begins with the part that it is about.
            path = place_of(message)
        elif path:
            message = f"{'.'.join(map(str, path))}: {message}"
        lines.append(source.line(path, message, cure))
    return lines


def place_of(message: str) -> tuple[str, ...]:
    part = message.partition(":")[0]
    return ("messages", part) if part in NEEDED else (part,)


def known_beside(path: tuple[str | int, ...]) -> list[str]:
    parts: dict[str, type[BaseModel]] = {
        "framing": HostFraming, "encoding": SpecEncoding, "network": NetworkCodes, "messages": MessageFields,
        "security_code": SecurityCode, "partial_answer": PartialAnswer,
    }  # fmt: skip
    if path[0] == "fields":
        return ["is", "length", "encoding"]
    return list((parts.get(str(path[0]), HostSpec) if len(path) > 1 else HostSpec).model_fields)


# ---- what the codec wants to know


def codec_spec(host: HostSpec) -> dict[str, dict[str, Any]]:
    """As `iso8583.specs` describes it."""
    encoding = host.encoding
    digits, lengths = codec_name(encoding.digits), LENGTHS[encoding.lengths]
    hexadecimal = codec_name(encoding.text)
    bitmap = {"data_enc": "b" if encoding.bitmaps == "binary" else hexadecimal, "len_enc": "ascii", "len_type": 0}
    bitmap |= {"max_len": BITMAP_BYTES if encoding.bitmaps == "binary" else 2 * BITMAP_BYTES, "desc": "bitmap"}
    found: dict[str, dict[str, Any]] = {
        "h": {"data_enc": "ascii", "len_enc": "ascii", "len_type": 0, "max_len": 0, "desc": "header"},
        "t": {
            "data_enc": digits,
            "len_enc": "ascii",
            "len_type": 0,
            "max_len": 2 if digits == "b" else 4,
            "desc": "type",
        },
        "p": bitmap,
        "1": bitmap,
    }
    return found | {number: codec_field(form, encoding, lengths) for number, form in host.fields.items()}


def codec_field(form: HostField, encoding: SpecEncoding, lengths: str) -> dict[str, Any]:
    varies, longest = form.length
    written = form.encoding or {"digits": encoding.digits, "text": encoding.text, "binary": "bcd"}[form.what]
    data = codec_name(written)
    length = {"len_enc": lengths, "len_type": length_bytes(longest, encoding.lengths) if varies else 0}
    found = {"data_enc": data, **length, "max_len": longest, "desc": form.what}
    if data == "b" and form.what != "binary":
        pad = {"left_pad": "0"} if encoding.odd_digits == "left" or not varies else {"right_pad": "F"}
        found |= {"len_count": "nibbles", **pad}
    return found


def codec_name(written: str) -> str:
    return {"ascii": "ascii", "ebcdic": EBCDIC, "bcd": "b"}[written]


def length_bytes(longest: int, lengths: str) -> int:
    """LLVAR up to 99, LLLVAR above: as many digits, or half as many bytes."""
    digits = 2 if longest < 100 else 3
    return digits if lengths in ("ascii", "ebcdic") else (digits + 1) // 2
