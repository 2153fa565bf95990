"""Messages to bytes and back, by pyiso8583. The library sees noughts where a card is: the digits are put into the frame.

So no text of a card is made here: one buffer, which its sender overwrites.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import iso8583

from ivr.bank.iso8583.spec import CARD_NUMBER, LONGEST_FRAME, ReadSpec

LENGTH_BYTES = 2
SECONDARY, CARD_BIT = 0x80, 0x40  # of the first byte of a bitmap: field 1, field 2


class UnreadableMessage(Exception):
    """Not a message by this host's spec; says why, and quotes nothing of it."""


@dataclass(frozen=True)
class ClearDigits:
    """Digits that stand in a field, from a character of it on. The buffer is the opener's to wipe."""

    field: str
    digits: bytearray | memoryview = dataclasses.field(repr=False)
    at: int = 0


def encode(spec: ReadSpec, message: Mapping[str, str], clear: Iterable[ClearDigits] = ()) -> bytearray:
    """The whole frame. `message`: values by field, with as many noughts as `clear` puts digits there."""
    raw, parts = iso8583.encode(dict(message), spec.codec)
    tpdu = bytes.fromhex(spec.host.framing.tpdu)
    counted = len(tpdu) + len(raw) + (LENGTH_BYTES if spec.host.framing.length_counts_itself else 0)
    if counted > LONGEST_FRAME:
        raise ValueError("the message is longer than a frame can be")
    head = counted.to_bytes(LENGTH_BYTES, "big") + tpdu
    frame = bytearray(head) + raw
    for one in clear:
        start = len(head) + data_start(parts, one.field)
        put_digits(frame, start, one, spec.codec[one.field], len(message[one.field]))
    return frame


def data_start(parts: Mapping[str, Mapping[str, bytes]], wanted: str) -> int:
    """Where a field's data begins, behind its length."""
    order = [name for name in ("h", "t", "p", "1") if name in parts]
    order += sorted((name for name in parts if name.isdigit() and name != "1"), key=int)
    before = order[: order.index(wanted)]
    sizes = (len(parts[name]["len"]) + len(parts[name]["data"]) for name in before)
    return sum(sizes) + len(parts[wanted]["len"])


def put_digits(frame: bytearray, start: int, clear: ClearDigits, form: Mapping[str, object], length: int) -> None:
    """`length`: characters of the entire field, which decides where a half byte fills it."""
    if form["data_enc"] != "b":
        nought = "0".encode(str(form["data_enc"]))[0]
        for number, digit in enumerate(clear.digits):
            frame[start + clear.at + number] = nought + digit - ord("0")
        return
    shift = clear.at + (length % 2 if "left_pad" in form else 0)
    for number, digit in enumerate(clear.digits):
        byte, is_low = divmod(shift + number, 2)
        old = frame[start + byte]
        value = digit - ord("0")
        frame[start + byte] = (old & 0xF0) | value if is_low else (old & 0x0F) | value << 4


def decode(spec: ReadSpec, message: bytearray) -> dict[str, str]:
    """What a message without its frame says, without the card's number, which is overwritten in the buffer first."""
    try:
        blank_card(spec, message)
        decoded, _ = iso8583.decode(message, spec.codec)
    except iso8583.DecodeError as error:
        raise UnreadableMessage(f"field {error.field}: {error.msg}") from None
    except KeyError as error:
        raise UnreadableMessage(
            f"field {error.args[0]} came, and {spec.file} does not have it: add it to `fields`"
        ) from None
    except (ValueError, IndexError):
        raise UnreadableMessage("not a message") from None
    return {name: str(value) for name, value in decoded.items() if name not in ("h", "p", "1", CARD_NUMBER)}


def blank_card(spec: ReadSpec, message: bytearray) -> None:
    """Field 2 comes first, right behind the bitmaps."""
    bitmap, start = spec.codec["p"], 2 if spec.codec["t"]["data_enc"] == "b" else 4
    first = first_byte(message, start, str(bitmap["data_enc"]))
    if not first & CARD_BIT:
        return
    at = start + bitmap["max_len"] * (2 if first & SECONDARY else 1)
    form = spec.codec[CARD_NUMBER]
    length = card_length(message, at, form)
    data = at + form["len_type"]
    size = (length + 1) // 2 if form["data_enc"] == "b" else length
    nought = 0 if form["data_enc"] == "b" else "0".encode(form["data_enc"])[0]
    message[data : data + size] = bytes([nought]) * len(message[data : data + size])


def first_byte(message: bytearray, start: int, encoding: str) -> int:
    if encoding == "b":
        return message[start]
    return int(message[start : start + 2].decode(encoding), 16)


def card_length(message: bytearray, at: int, form: Mapping[str, object]) -> int:
    size = form["len_type"]
    assert isinstance(size, int)
    if size == 0:
        longest = form["max_len"]
        assert isinstance(longest, int)
        return longest
    written = message[at : at + size]
    match form["len_enc"]:
        case "b":
            return int.from_bytes(written, "big")
        case "bcd":
            return int(written.hex())
    return int(written.decode(str(form["len_enc"])))


def wipe(buffer: bytearray | memoryview) -> None:
    buffer[:] = bytes(len(buffer))
