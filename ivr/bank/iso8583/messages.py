"""What each message says: fields by number, as text. Where the card stands there are noughts, which `codec` replaces."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from ivr.bank.clear_card import ClearCard
from ivr.bank.iso8583.codec import ClearDigits
from ivr.bank.iso8583.currencies import NUMBERS
from ivr.bank.iso8583.settings import Iso8583Settings
from ivr.bank.iso8583.spec import CARD_NUMBER, EXPIRY, HostSpec
from ivr.core.money import Money

REVERSAL, REPEATED_REVERSAL, NETWORK, NETWORK_ANSWER = "0420", "0421", "0800", "0810"
STANS = 999_999
INSTITUTION_DIGITS = 11  # of each of the two institutions in field 90
WRITTEN = "%Y%m%d%H%M%S"
TRANSMITTED = "%m%d%H%M%S"


@dataclass(frozen=True)
class PurchaseTrace:
    """What finds a purchase again: trace number (field 11), transmission time (7), retrieval reference (37)."""

    stan: str
    at: datetime
    retrieval: str

    def __str__(self) -> str:
        return f"{self.stan} {self.at:{WRITTEN}} {self.retrieval}"

    @property
    def transmitted(self) -> str:
        return f"{self.at:{TRANSMITTED}}"


def new_trace(number: int, now: datetime) -> PurchaseTrace:
    """The retrieval reference is the year's last digit, the day of the year, the hour and the trace number."""
    at = now.astimezone(UTC).replace(microsecond=0)
    stan = f"{(number - 1) % STANS + 1:06d}"
    return PurchaseTrace(stan, at, f"{at:%Y}"[-1] + f"{at:%j%H}" + stan)


def read_trace(written: str) -> PurchaseTrace:
    """ValueError where it is none."""
    stan, at, retrieval = written.split(" ")
    return PurchaseTrace(stan, datetime.strptime(at, WRITTEN).replace(tzinfo=UTC), retrieval)


def answer_type(asked: str) -> str:
    """0210 to 0200 and 0201; 0430 to 0420 and 0421; 0810 to 0800."""
    return asked[:2] + {"0": "1", "2": "3"}[asked[2]] + "0"


@dataclass(frozen=True)
class MessageWriter:
    """Writes the messages of one merchant to one host."""

    spec: HostSpec
    settings: Iso8583Settings

    def purchase(
        self, trace: PurchaseTrace, amount: Money, card: ClearCard, *, takes_part: bool = False
    ) -> tuple[dict[str, str], list[ClearDigits]]:
        told = self.spec.partial if takes_part else {}
        clear, fields = self.clear(card, self.spec.messages.purchase), [*self.spec.messages.purchase, *told]
        values = self.values(trace, amount, trace.at) | told
        if self.spec.security_code and "security_code" in card:
            code = card["security_code"]
            field = self.spec.security_code.field
            written = self.spec.security_code.written.replace("{length}", f"{len(code):02d}")
            values[field] = written.replace("{code}", "0" * len(code))
            clear.append(ClearDigits(field, code, written.index("{code}")))
            return self.chosen(self.spec.purchase, [*fields, field], values, clear), clear
        return self.chosen(self.spec.purchase, fields, values, clear), clear

    def reversal(
        self, trace: PurchaseTrace, amount: Money, card: ClearCard, now: datetime, is_repeat: bool
    ) -> tuple[dict[str, str], list[ClearDigits]]:
        """Under the purchase's own trace number, which stays the same through all messages about it."""
        clear = self.clear(card, self.spec.messages.reversal)
        return self._reversal(trace, amount, now, is_repeat, clear), clear

    def void(self, trace: PurchaseTrace, amount: Money, now: datetime, is_repeat: bool) -> dict[str, str]:
        """A reversal of what was approved. By then no card is kept: without fields 2 and 14."""
        return self._reversal(trace, amount, now, is_repeat, [])

    def _reversal(
        self, trace: PurchaseTrace, amount: Money, now: datetime, is_repeat: bool, clear: list[ClearDigits]
    ) -> dict[str, str]:
        values = self.values(trace, amount, now) | {"90": self.original(trace)}
        kind = REPEATED_REVERSAL if is_repeat else REVERSAL
        return self.chosen(kind, self.spec.messages.reversal, values, clear)

    def network(self, code: str, stan: str, now: datetime) -> dict[str, str]:
        values = {"7": f"{now.astimezone(UTC):{TRANSMITTED}}", "11": stan, "70": code} | self.merchant_values()
        return self.chosen(NETWORK, self.spec.messages.network, values, [])

    def original(self, trace: PurchaseTrace) -> str:
        """Field 90: type, trace number and transmission time of the purchase, acquirer, forwarder (none)."""
        acquirer = self.settings.acquirer.rjust(INSTITUTION_DIGITS, "0")
        return self.spec.purchase + trace.stan + trace.transmitted + acquirer + "0" * INSTITUTION_DIGITS

    def values(self, trace: PurchaseTrace, amount: Money, sent_at: datetime) -> dict[str, str]:
        local = trace.at.astimezone(self.settings.local_zone)
        return {
            **self.spec.values,
            **self.merchant_values(),
            "4": f"{amount.minor:012d}",
            "7": f"{sent_at.astimezone(UTC):{TRANSMITTED}}",
            "11": trace.stan,
            "12": f"{local:%H%M%S}",
            "13": f"{local:%m%d}",
            "37": trace.retrieval,
            "49": NUMBERS[amount.currency],
        }

    def merchant_values(self) -> dict[str, str]:
        settings = self.settings
        return {
            "18": settings.merchant_category,
            "32": settings.acquirer,
            "41": settings.terminal,
            "42": settings.merchant,
            "43": settings.merchant_name,
        }

    def clear(self, card: ClearCard, fields: Iterable[str]) -> list[ClearDigits]:
        """A keyed expiry is month and year; field 14 has the year first."""
        wanted = [field for field in (CARD_NUMBER, EXPIRY) if field in fields]
        found = []
        if CARD_NUMBER in wanted and "card_number" in card:
            found.append(ClearDigits(CARD_NUMBER, card["card_number"]))
        if EXPIRY in wanted and "expiry" in card:
            month_year = memoryview(card["expiry"])
            found += [ClearDigits(EXPIRY, month_year[2:]), ClearDigits(EXPIRY, month_year[:2], 2)]
        return found

    def chosen(
        self, kind: str, fields: Iterable[str], values: Mapping[str, str], clear: Iterable[ClearDigits]
    ) -> dict[str, str]:
        """The fields of one message, each as long as the host wants it."""
        lengths: dict[str, int] = {}
        for one in clear:
            lengths[one.field] = lengths.get(one.field, 0) + len(one.digits)
        noughts = {field: "0" * length for field, length in lengths.items() if field in (CARD_NUMBER, EXPIRY)}
        known = {**values, **noughts}
        return {"t": kind} | {
            field: self.fitted(field, known[field]) for field in dict.fromkeys(fields) if field in known
        }

    def fitted(self, field: str, value: str) -> str:
        form = self.spec.fields[field]
        varies, length = form.length
        if varies:
            return value
        return value.rjust(length, "0") if form.what == "digits" else value.ljust(length)
