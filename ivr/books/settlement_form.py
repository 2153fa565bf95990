"""How a bank writes its settlement file: which column is what, and what its kinds of rows are. A YAML file, so that a merchant
can describe any bank's CSV."""

import re
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from ivr.errors import ConfigError
from ivr.places import COMMAND, SHIPPED
from ivr.reading.problems import did_you_mean
from ivr.reading.scalars import known_currency
from ivr.reading.wrong_shapes import said_plainly
from ivr.reading.yaml_source import read_yaml

ISO = "YYYY-MM-DD"
_DAY_PARTS = re.compile("(YYYY|YY|MM|DD)")
SHIPPED_FORMS = SHIPPED / "config" / "settlement"


class _FormSection(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Columns(_FormSection):
    """Names of columns as the file's first line has them, in any case; empty: there is none.

    `amount`: with a sign or without; or `credit` (towards the merchant) and `debit`, of which each row fills one.
    `reference`: ours, of the charge, for refunds too. `bank_reference`: the bank's own of the charge.
    `bank`: its name in banks.yaml, where a file may hold rows of several; a file without it is of one.
    """

    kind: str = ""
    reference: str = ""
    bank_reference: str = ""
    currency: str = ""
    amount: str = ""
    credit: str = ""
    debit: str = ""
    date: str = ""
    bank: str = ""

    @model_validator(mode="after")
    def _enough(self) -> "Columns":
        if not self.reference and not self.bank_reference:
            raise ValueError("'reference' (ours) or 'bank_reference' is needed to know which charge a row is about")
        if bool(self.amount) == bool(self.credit or self.debit) or bool(self.credit) != bool(self.debit):
            raise ValueError("either 'amount', or 'credit' and 'debit'")
        if twice := _first_twice([column for _, column in self if column]):
            raise ValueError(f"'{twice}' is named for two things, and a column holds one")
        return self


class Kinds(_FormSection):
    """What the rows of each kind are called. `void`: of a charge that was let go of before it was settled, or of the part of it that was never taken.
    `refund_reversed`: a refund that failed after all and is with the merchant again. `ignored`: fees, payouts and whatever else is no movement of one charge."""

    charge: list[str] = Field(default_factory=list)
    refund: list[str] = Field(default_factory=list)
    refund_reversed: list[str] = Field(default_factory=list)
    void: list[str] = Field(default_factory=list)
    chargeback: list[str] = Field(default_factory=list)
    chargeback_reversed: list[str] = Field(default_factory=list)
    ignored: list[str] = Field(default_factory=list)

    @model_validator(mode="after")
    def _of_one_kind(self) -> "Kinds":
        named = [name for _, names in self for name in {one.strip().casefold(): one for one in names}.values()]
        if twice := _first_twice(named):
            raise ValueError(f"'{twice}' is named for two kinds, and a row is of one")
        return self


class SettlementForm(_FormSection):
    """`date_format`: how a day is written: DD, MM and YYYY (or YY, of this century) once each, with anything between; what comes
    after it, such as a time, does not count. `currency`: of every row, where no column says it. `amounts`: `decimal` (42.50) or `minor` (4250). `signed`: an amount below
    nought takes back one of its kind, such as a refund that failed after all; otherwise refunds may have any sign."""

    title: str
    columns: Columns
    kinds: Kinds = Field(default_factory=Kinds)
    currency: str = ""
    separator: Literal[",", ";", "tab", "|"] = ","
    decimal_point: Literal[".", ","] = "."
    date_format: str = ISO
    amounts: Literal["decimal", "minor"] = "decimal"
    signed: bool = False

    @field_validator("currency")
    @classmethod
    def _a_currency(cls, code: str) -> str:
        return known_currency(code) if code else code

    @field_validator("date_format")
    @classmethod
    def _a_day(cls, written: str) -> str:
        if sorted(_DAY_PARTS.findall(written)) not in (["DD", "MM", "YYYY"], ["DD", "MM", "YY"]):
            raise ValueError("expected DD, MM and YYYY (or YY) once each, such as DD.MM.YYYY")
        return written

    @cached_property
    def day(self) -> re.Pattern[str]:
        """With the groups `y`, `m` and `d`."""
        parts = ("", *_DAY_PARTS.split(self.date_format), "")
        named = {"YYYY": r"(?P<y>\d{4})", "YY": r"(?P<y>\d{2})", "MM": r"(?P<m>\d{1,2})", "DD": r"(?P<d>\d{1,2})"}
        packed = not re.search(r"[^DMY]", self.date_format)  # 20261231: nothing else says where one ends
        spelled = "".join(named.get(part) or re.escape(part) for part in parts)
        return re.compile((spelled.replace("{1,2}", "{2}") if packed else spelled) + r"(?!\d)")

    @model_validator(mode="after")
    def _told_apart(self) -> "SettlementForm":
        if not self.columns.currency and not self.currency:
            raise ValueError("currency: no column says it and neither does 'currency'")
        if self.columns.kind and not self.kinds.charge:
            raise ValueError("kinds: which rows of the column of kinds are charges?")
        return self

    def kind_of(self, written: str) -> str:
        """Empty where the form does not say it."""
        folded = written.strip().casefold()
        return next((kind for kind, names in self.kinds if folded in (name.casefold() for name in names)), "")


def _first_twice(names: list[str]) -> str:
    """In any case, as columns and kinds are compared."""
    folded = [name.strip().casefold() for name in names]
    return next((name for number, name in enumerate(names) if folded[number] in folded[:number]), "")


def form_names() -> list[str]:
    return sorted(file.stem for file in SHIPPED_FORMS.glob("*.yaml"))


def form_called(name: str) -> SettlementForm:
    """One that is shipped, by its name, or a file of the merchant's own, by its path. ConfigError names the cure."""
    known = form_names()
    if name in known:
        return load_form(SHIPPED_FORMS / f"{name}.yaml")
    if Path(name).suffix in (".yaml", ".yml"):
        return load_form(Path(name))
    hint = did_you_mean(name, known) or f"known: {', '.join(known)}"
    raise ConfigError(
        f"no form is called '{name}' ({hint}); or name a YAML file of your own: `{COMMAND} reconcile --help`"
    )


def load_form(file: Path) -> SettlementForm:
    """ConfigError tells every problem with its line."""
    try:
        source = read_yaml(str(file), file.read_bytes())
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}; {SHIPPED_FORMS / 'adyen.yaml'} is one to copy") from None
    if source.problems:
        raise ConfigError("\n".join(map(str, source.problems)))
    try:
        return SettlementForm.model_validate(source.tree)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False, include_context=False)
        lines = [source.line(one["loc"], *_told(one["loc"], one["type"], one["msg"])) for one in found]
        raise ConfigError("\n".join(lines)) from None


def _told(path: tuple[str | int, ...], kind: str, message: str) -> tuple[str, str]:
    if kind == "extra_forbidden":
        parts: dict[str, type[BaseModel]] = {"columns": Columns, "kinds": Kinds}
        beside = parts.get(str(path[0]), SettlementForm) if len(path) > 1 else SettlementForm
        return f"unknown key '{path[-1]}'", did_you_mean(str(path[-1]), list(beside.model_fields))
    if kind == "missing":
        return f"'{path[-1]}' is missing", ""
    where = ".".join(map(str, path))
    said = said_plainly(kind, message)
    return f"{where}: {said}" if where else said, ""
