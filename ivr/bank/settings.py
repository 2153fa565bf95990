"""`config/banks.yaml`: where each bank is, whom to trust and who we are to it. Opening the files is for who uses them."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from ivr.errors import ConfigError
from ivr.reading.problems import did_you_mean
from ivr.reading.scalars import known_currency
from ivr.reading.yaml_source import Source, read_yaml

# A job is leased to one forwarder for this long. Whatever is asked of a bank must have been answered or given up by then,
# with time left to write the answer down: a lease that ends earlier brings a second forwarder to the same charge.
LEASE_S = 60.0
FOR_OUR_DATABASE_S = 10.0
LONGEST_EXCHANGE_S = LEASE_S - FOR_OUR_DATABASE_S
MOST_CONNECTIONS = 64


def seconds(written: object) -> float:
    """`3s`, `0.5s` or `250ms`."""
    match = re.fullmatch(r"(\d{1,6}(?:\.\d{1,3})?)(ms|s)", str(written))
    if match is None:
        raise ValueError("expected a time such as '3s' or '250ms'")
    return float(match[1]) / (1000 if match[2] == "ms" else 1)


def https_only(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValueError("expected https://host or https://host:port")
    return url.rstrip("/")


Timeout = Annotated[float, BeforeValidator(seconds), Field(gt=0, le=LONGEST_EXCHANGE_S)]


class BankSettings(BaseModel):
    """One bank. Each process opens only the files it needs: the web process never reads `client_key`."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    url: Annotated[str, AfterValidator(https_only)]
    # `vault` (the forwarder's key, for banks that want clear fields inside TLS) is another public key file to the
    # sealing side; it needs an opening forwarder before it may be allowed here.
    seal_to: Literal["bank"] = "bank"
    sealing_key: Path
    ca: Path
    client_certificate: Path
    client_key: Path
    # What the bank takes; without it, any. A flow whose limit is in another currency is not used.
    currencies: list[Annotated[str, AfterValidator(known_currency)]] = []
    connect_timeout: Timeout = 3.0
    read_timeout: Timeout = 20.0
    connections: Annotated[int, Field(ge=1, le=MOST_CONNECTIONS)] = 16

    @model_validator(mode="after")
    def within_the_lease(self) -> "BankSettings":
        if self.connect_timeout + self.read_timeout > LONGEST_EXCHANGE_S:
            raise PydanticCustomError(
                "longer_than_the_lease",
                f"connect_timeout and read_timeout together may be at most {LONGEST_EXCHANGE_S:g}s: "
                f"a charge is leased to one forwarder for {LEASE_S:g}s",
            )
        return self

    def below(self, folder: Path) -> "BankSettings":
        names = ("sealing_key", "ca", "client_certificate", "client_key")
        return self.model_copy(update={name: folder / getattr(self, name) for name in names})


def load_banks(file: Path, var: Path) -> dict[str, BankSettings]:
    """By name, with the files' paths below `var`. ConfigError tells every problem, with its line."""
    source = read_yaml(str(file), read_text(file))
    banks: dict[str, BankSettings] = {}
    problems = [str(problem) for problem in source.problems]
    for name, written in sections(source, problems).items():
        try:
            banks[name] = BankSettings.model_validate(written).below(var)
        except ValidationError as error:
            problems += explain(source, name, error)
    if problems:
        raise ConfigError("\n".join(problems))
    return banks


def sections(source: Source, problems: list[str]) -> dict[str, Any]:
    tree = source.tree if isinstance(source.tree, dict) else {}
    banks = tree.get("banks")
    problems += [source.line((key,), f"unknown key '{key}'", "known: banks") for key in tree if key != "banks"]
    if isinstance(banks, dict) and banks:
        return banks
    if not problems:
        problems.append(source.line(("banks",), "no bank is named", "see config/banks.yaml in the repository"))
    return {}


def explain(source: Source, name: str, error: ValidationError) -> list[str]:
    lines = []
    for found in error.errors(include_input=False, include_url=False, include_context=False):
        key = str(found["loc"][0]) if found["loc"] else "read_timeout"
        message, cure = f"{name}: {key}: {found['msg'].removeprefix('Value error, ')}", ""
        if found["type"] == "extra_forbidden":
            message, cure = f"{name}: unknown key '{key}'", did_you_mean(key, BankSettings.model_fields)
        elif found["type"] == "missing":
            message = f"{name}: '{key}' is missing"
        lines.append(source.line(("banks", name, key), message, cure))
    return lines


def read_text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}; set BANKS to the file that names your banks") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{file}: not UTF-8 text; set BANKS to the file that names your banks") from None
