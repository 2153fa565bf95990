"""Whole calls as plain text: what each line may say, and a clear error for every line that cannot be read.

    call pay-a-bill from +15550100     a caller rings; a second `call` is another caller
    call pay-a-bill from +15550100 at 2026-12-24 18:30    the same, and it is that time (UTC) when it rings
      hears  enter_account_number      this prompt, in order (others may be heard between)
      says   42 dollars                these words were said since the last key
      never hears card_declined        at no time in this call
      keys   12345678#
      silence                          no key until the time for the first one is over
      person is busy                   what a person does from now on whom a caller is to be connected to
      wait                             one pause of a hold
      passes 2h                        nothing happens for so long (s, m, h)
      bank   approves                  what the bank does from now on; then everything waiting is done
      caller 1                         back to the first caller of the file
      hangs  up
      ends   paid                      on record: paid, reserved, unpaid, pending or open
      transferred to +15550123456      whom the caller was connected to at the end, or nobody
      lasts  at most 90s               from the first ring to now
      payment declined, approved 42.50 USD
      agreed promise 42.50 USD         what is on record that the caller agreed to besides charges, or none (to be known again: remember)
      texts  receipt                   the texts of this call, or none
      text   receipt says Paid: 42.50
      books  42.50 USD                 what the bank has charged in all, or nothing
      reserved 100.00 USD              what the bank holds reserved in all and has not taken, or nothing
      bill   12345678 owes 0.00 USD
      owes   12345678 42.50 USD, at least 10.00 USD   what an account owes from now on, and the least that may be paid
      owes   700101 64.20 USD, of 20000001, key.pin 2468, bill.issued 2026-01-01   whose bill it is, and further columns

A line that begins with `--` is a comment. Each call must say how it ends.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import get_args

from ivr.core.call import TAKEN_BACK, Ending
from ivr.core.money import parse_money
from ivr.errors import FlowError
from ivr.reading.problems import did_you_mean
from ivr.store import Status

BANK_BEHAVIOURS = ("approves", "declines", "is silent", "is silent after charging", "is unreachable", "cannot say")
PEOPLE = ("answers", "does not answer", "is busy", "cannot be reached")
OF_A_BANK = re.compile(r"declines (\d\d|[A-Z0-9]{2}|insufficient|expired|invalid|lost)|approves \d{1,7}\.\d\d")
ENDINGS = (*get_args(Ending), "open")
STATUSES = (*get_args(Status), *sorted(TAKEN_BACK))
AGREEMENTS = ("promise", "plan", "mandate", "keep_card", "remember")
WITHOUT_AMOUNT = frozenset({"remember"})
KEYS = frozenset("0123456789*#")
DURATION = re.compile(r"(\d{1,6})(s|m|h)")
SECONDS = {"s": 1, "m": 60, "h": 3600}
_AT = re.compile(r" at (\S+ \S+)$")
_ACCOUNT = re.compile(r"[0-9A-Z]{1,32}")
_OWES = re.compile(
    r"([0-9A-Z]{1,32}) ([^,]+?)(?:, at least ([^,]+))?(?:, of ([0-9A-Z]{1,32}))?((?:, [a-z][a-z0-9_]*\.[a-z0-9_]+ [^,]+)*)"
)
_PAYMENT = re.compile(r"(\S+)(?: (\d+(?:\.\d+)? [A-Z]{3}))?")


@dataclass(frozen=True)
class Instruction:
    """`verb` is the first word ("never" and "lasts" with the word that belongs to them); `rest` what follows it."""

    line: int
    verb: str
    rest: str


class ScriptError(FlowError):
    """A line of a call file that says nothing we know."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(f"line {line}: {message}")
        self.line = line


def read_script(
    text: str, *, flows: Collection[str] | None = None, prompts: Collection[str] | None = None
) -> list[Instruction]:
    """The instructions. ScriptError names the first line that cannot be read; `flows` and `prompts` are the names that
    exist, where they are known."""
    script = list(_instructions(text))
    if not script or script[0].verb != "call":
        raise ScriptError(script[0].line if script else 1, "a file begins with 'call <flow> from <number>'")
    for instruction in script:
        check(instruction, flows, prompts)
    _require_endings(script)
    return script


def _instructions(text: str) -> Iterator[Instruction]:
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("--"):
            continue
        if words[0] not in VERBS:
            raise ScriptError(number, f"'{words[0]}' is not a word of a call file ({did_you_mean(words[0], VERBS)})")
        yield Instruction(number, words[0], " ".join(words[1:]))


def _require_endings(script: Sequence[Instruction]) -> None:
    """A call without an assertion about its end would pass whatever became of it."""
    callers = Callers()
    ended: set[int] = set()
    for instruction in script:
        callers.follow(instruction)
        if instruction.verb == "ends":
            ended.add(callers.current)
    for number, line in enumerate(callers.lines, 1):
        if number not in ended:
            raise ScriptError(line, f"this call does not say how it ends: add 'ends {'|'.join(ENDINGS)}'")


class Callers:
    """Whose turn it is: `call` adds a caller, `caller N` goes back to one."""

    def __init__(self) -> None:
        self.lines: list[int] = []
        self.current = 0

    def follow(self, instruction: Instruction) -> None:
        if instruction.verb == "call":
            self.lines.append(instruction.line)
            self.current = len(self.lines)
        elif instruction.verb == "caller":
            if int(instruction.rest) > len(self.lines):
                raise ScriptError(instruction.line, f"there is no caller {instruction.rest} before this line")
            self.current = int(instruction.rest)


# ---- what may follow each word


def check(instruction: Instruction, flows: Collection[str] | None, prompts: Collection[str] | None) -> None:
    VERBS[instruction.verb](instruction)
    if instruction.verb == "call":
        known, word = flows, caller_of(instruction)[0]
    elif instruction.verb in ("hears", "never"):
        known, word = prompts, prompt_of(instruction)
    else:
        return
    if known is not None and word not in known:
        kind = "flow" if instruction.verb == "call" else "prompt"
        raise ScriptError(instruction.line, f"there is no {kind} '{word}' ({did_you_mean(word, known)})")


def caller_of(instruction: Instruction) -> tuple[str, str]:
    """Flow and number."""
    flow, _, ani = _AT.sub("", instruction.rest).partition(" from ")
    return flow, ani or "+15550100"


def time_of(instruction: Instruction) -> datetime | None:
    """When the call rings, in UTC; None for whenever it is."""
    match = _AT.search(instruction.rest)
    try:
        return datetime.fromisoformat(match[1]).replace(tzinfo=UTC) if match else None
    except ValueError:
        raise ScriptError(instruction.line, "expected a time such as 'at 2026-12-24 18:30', in UTC") from None


def prompt_of(instruction: Instruction) -> str:
    return instruction.rest.removeprefix("hears ") if instruction.verb == "never" else instruction.rest


def seconds_of(instruction: Instruction) -> int:
    match = DURATION.fullmatch(instruction.rest.removeprefix("at most ").removeprefix("at least "))
    if match is None:
        raise ScriptError(instruction.line, "expected a time such as 90s, 5m or 2h")
    return int(match[1]) * SECONDS[match[2]]


def payments_of(instruction: Instruction) -> list[tuple[str, str]]:
    """Status and amount of each payment, the amount empty where it is not asserted; [] for `none`."""
    if instruction.rest == "none":
        return []
    found = []
    # `declined approved` and `declined, approved` are the same; an amount belongs to the status before it.
    for written in re.split(r",\s*|\s+(?=[a-z])", instruction.rest):
        match = _PAYMENT.fullmatch(written)
        if match is None or match[1] not in STATUSES:
            word = written.partition(" ")[0]
            raise ScriptError(instruction.line, f"'{written}' is no payment ({did_you_mean(word, STATUSES)})")
        if match[2]:
            _require_money(instruction, match[2])
        found.append((match[1], match[2] or ""))
    return found


@dataclass(frozen=True)
class Owed:
    """What an account owes: amounts such as "42.50 USD", `least` empty where any part may be paid. `customer`: whose bill it is,
    where a customer may have several; `details`: further columns of an accounts file, as they are written there."""

    account: str
    due: str
    least: str = ""
    customer: str = ""
    details: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        parts = [f"{self.account} {self.due}", f"at least {self.least}" if self.least else ""]
        parts += [f"of {self.customer}" if self.customer else "", *(" ".join(one) for one in self.details)]
        return ", ".join(filter(None, parts))


def owed_of(instruction: Instruction) -> Owed:
    match = _OWES.fullmatch(instruction.rest)
    if match is None:
        wanted = "expected 'owes <account> <amount>', and perhaps ', at least <amount>', ', of <customer>', ', bill.fee 3.00 USD'"
        raise ScriptError(instruction.line, wanted)
    due, least = match[2], match[3] or ""
    details = [one.partition(" ") for one in match[5].split(", ")[1:]]
    for amount in filter(None, (due, least)):
        _require_money(instruction, amount)
    if least and parse_money(least).minor > parse_money(due).minor:
        raise ScriptError(instruction.line, f"the least part, {least}, is more than {due}")
    return Owed(match[1], due, least, match[4] or "", tuple((name, value) for name, _, value in details))


def _call(instruction: Instruction) -> None:
    flow, _ = caller_of(instruction)
    if not flow or " " in flow:
        raise ScriptError(instruction.line, "expected 'call <flow> from <number>', and perhaps 'at <date> <time>'")
    time_of(instruction)


def _word(instruction: Instruction) -> None:
    if not instruction.rest or " " in instruction.rest:
        raise ScriptError(instruction.line, f"expected '{instruction.verb} <name>'")


def _text(instruction: Instruction) -> None:
    if not instruction.rest:
        raise ScriptError(instruction.line, f"'{instruction.verb}' says nothing")


def _nothing(instruction: Instruction) -> None:
    if instruction.rest:
        raise ScriptError(instruction.line, f"nothing follows '{instruction.verb}'")


def _never(instruction: Instruction) -> None:
    verb, _, name = instruction.rest.partition(" ")
    if verb != "hears" or not name or " " in name:
        raise ScriptError(instruction.line, "expected 'never hears <prompt>'")


def _keys(instruction: Instruction) -> None:
    if not instruction.rest or not KEYS.issuperset(instruction.rest):
        raise ScriptError(instruction.line, "expected keys: 0 to 9, * and #, without spaces")


def _time(instruction: Instruction) -> None:
    seconds_of(instruction)


def _lasts(instruction: Instruction) -> None:
    if not instruction.rest.startswith(("at most ", "at least ")):
        raise ScriptError(instruction.line, "expected 'lasts at most 90s' or 'lasts at least 90s'")
    seconds_of(instruction)


def _bank(instruction: Instruction) -> None:
    if instruction.rest not in BANK_BEHAVIOURS and OF_A_BANK.fullmatch(instruction.rest) is None:
        cure = did_you_mean(instruction.rest, BANK_BEHAVIOURS)
        raise ScriptError(instruction.line, f"a bank does not do '{instruction.rest}' ({cure})")


def _person(instruction: Instruction) -> None:
    if instruction.rest not in PEOPLE:
        cure = did_you_mean(instruction.rest, PEOPLE)
        raise ScriptError(instruction.line, f"a person does not do '{instruction.rest}' ({cure})")


def _transferred(instruction: Instruction) -> None:
    if not re.fullmatch(r"to (\+[0-9]{3,15}|nobody)", instruction.rest):
        raise ScriptError(instruction.line, "expected 'transferred to <number>' such as +15550123456, or 'to nobody'")


def _caller(instruction: Instruction) -> None:
    if not instruction.rest.isdecimal() or int(instruction.rest) < 1:
        raise ScriptError(instruction.line, "expected 'caller <number>': the first call of the file is 1")


def _hangs(instruction: Instruction) -> None:
    if instruction.rest != "up":
        raise ScriptError(instruction.line, "expected 'hangs up'")


def _ends(instruction: Instruction) -> None:
    if instruction.rest not in ENDINGS:
        raise ScriptError(
            instruction.line, f"no call ends '{instruction.rest}' ({did_you_mean(instruction.rest, ENDINGS)})"
        )


def _payment(instruction: Instruction) -> None:
    if not instruction.rest:
        raise ScriptError(instruction.line, "expected 'payment none' or statuses, such as 'payment approved 42.50 USD'")
    payments_of(instruction)


def _agreed(instruction: Instruction) -> None:
    if instruction.rest == "none":
        return
    for one in instruction.rest.split(", "):
        kind, _, amount = one.partition(" ")
        if kind not in AGREEMENTS:
            raise ScriptError(instruction.line, f"'{kind}' is no agreement ({did_you_mean(kind, AGREEMENTS)})")
        if amount or kind not in WITHOUT_AMOUNT:
            _require_money(instruction, amount)


def _text_says(instruction: Instruction) -> None:
    name, says, words = instruction.rest.partition(" says ")
    if not says or not words or " " in name:
        raise ScriptError(instruction.line, "expected 'text <name> says <words>'")


def _books(instruction: Instruction) -> None:
    if instruction.rest != "nothing":
        _require_money(instruction, instruction.rest)


def _bill(instruction: Instruction) -> None:
    account, owes, amount = instruction.rest.partition(" owes ")
    if not owes or not _ACCOUNT.fullmatch(account):
        raise ScriptError(instruction.line, "expected 'bill <account> owes <amount>'")
    _require_money(instruction, amount)


def _owes(instruction: Instruction) -> None:
    owed_of(instruction)


def _require_money(instruction: Instruction, written: str) -> None:
    try:
        parse_money(written)
    except ValueError as error:
        raise ScriptError(instruction.line, f"'{written}': {error}") from None


VERBS = {
    "call": _call,
    "caller": _caller,
    "hears": _word,
    "says": _text,
    "never": _never,
    "keys": _keys,
    "silence": _nothing,
    "wait": _nothing,
    "passes": _time,
    "hangs": _hangs,
    "bank": _bank,
    "person": _person,
    "ends": _ends,
    "transferred": _transferred,
    "lasts": _lasts,
    "payment": _payment,
    "texts": _text,
    "agreed": _agreed,
    "text": _text_says,
    "books": _books,
    "reserved": _books,
    "bill": _bill,
    "owes": _owes,
}
