"""An installation of several merchants, as the settings of all of them: what is wrong with one's, and what two must not share.

A merchant is kept apart from the others by what its engine is made of: its own database, keys, flows and banks. So what is
looked at here is that no two are made of the same.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from ivr.errors import ConfigError
from ivr.merchants.merchants_file import (
    Installation,
    Merchant,
    called_number,
    chosen_merchant,
    is_installation,
    read_installation,
)
from ivr.places import COMMAND, MERCHANT_VARIABLE, MERCHANTS_FILE, PROJECT_FILE, project_folder, shown
from ivr.settings import (
    LOOPBACK,
    SHIPPED_TRUNK_FLOWS,
    MerchantSettings,
    Settings,
    merchant_settings,
    shared_settings,
)

ANY_NUMBER = "*"


@dataclass(frozen=True)
class InstallationSettings:
    """`shared`: what is the same for all, such as ports. `problems`: by merchant, those of its own settings, and of what it
    shares with one that comes before it; such a merchant is not among `merchants`."""

    installation: Installation
    shared: Settings
    merchants: Mapping[str, Settings]
    problems: Mapping[str, list[str]] = field(default_factory=dict)

    def require_good(self) -> None:
        """ConfigError with everything that is wrong, and where there is no merchant yet."""
        if self.problems:
            raise ConfigError("\n".join(line for lines in self.problems.values() for line in lines))
        if not self.merchants:
            file = self.installation.source.file
            raise ConfigError(
                f"{file}: no merchant is named yet: `{COMMAND} merchant add NAME` makes one; without {file} the line of this folder "
                "is started, as before"
            )

    def only(self, name: str) -> "InstallationSettings":
        """One merchant, for processes of its own; all where `name` is empty."""
        if not name:
            return self
        self.installation.called(name)
        kept = {one: settings for one, settings in self.merchants.items() if one == name}
        return InstallationSettings(
            self.installation, self.shared, kept, {name: self.problems.get(name, [])} if not kept else {}
        )


def installation_here(environ: Mapping[str, str] | None = None) -> InstallationSettings | None:
    """None where the project is a line of its own. TONETILL_MERCHANT leaves one merchant of it."""
    environ = os.environ if environ is None else environ
    folder = project_folder(environ)
    if is_installation(folder):
        return read_settings(read_installation(folder), environ).only(environ.get(MERCHANT_VARIABLE, ""))
    chosen = chosen_merchant(folder, environ)  # in a merchant's own folder
    return read_settings(chosen[0], environ).only(chosen[1].name) if chosen else None


def read_settings(installation: Installation, environ: Mapping[str, str]) -> InstallationSettings:
    good: dict[str, MerchantSettings] = {}
    problems: dict[str, list[str]] = {}
    for name, merchant in installation.merchants.items():
        try:
            own = merchant_settings(installation, merchant, environ)
        except ConfigError as error:
            problems[name] = str(error).splitlines()
            continue
        if found := [*_shares(own, good), *_other_numbers(own, merchant)]:
            problems[name] = found
        else:
            good[name] = own
    shared = shared_settings(installation, environ)
    settings = {name: one.settings for name, one in good.items()}
    return InstallationSettings(installation, shared, settings, problems)


def _shares(own: MerchantSettings, before: Mapping[str, MerchantSettings]) -> Iterator[str]:
    mine = own.settings
    for name, one in before.items():
        other = one.settings
        if _database(mine.database_url) == _database(other.database_url):
            yield own.line(
                "database_url", f"this is the database of {name} too: each merchant has a database of its own"
            )
        if _overlap(mine.var, other.var):
            yield own.line("var", f"this is the folder of {name}'s keys too: each merchant has keys of its own")
        if mine.merchant == other.merchant:
            told = f"{mine.merchant} is what {name} is called at its bank too: sealed cards are bound to it"
            yield own.line("merchant", told)


def _other_numbers(own: MerchantSettings, merchant: Merchant) -> Iterator[str]:
    """Numbers of TRUNK_FLOWS that lead here by no line of merchants.yaml."""
    known = set(map(called_number, merchant.numbers))
    if own.settings.trunk_flows == SHIPPED_TRUNK_FLOWS:
        file = shown(merchant.folder / PROJECT_FILE)
        yield f'{file}: trunk_flows is not set: write trunk_flows: "*=FLOW", the flow that answers all of its numbers in {MERCHANTS_FILE}'
        return
    for pair in own.settings.trunk_flows.split(","):
        number = pair.partition("=")[0].strip()
        if number != ANY_NUMBER and called_number(number) not in known:
            told = f"{number} is none of this merchant's numbers in merchants.yaml: add it there, or say *=FLOW for all of them"
            yield own.line("trunk_flows", told)


def _database(url: str) -> tuple[str, ...]:
    """The same for every spelling of one database, as far as that can be told without asking it. Asked, it refuses who has not
    the key of its callers' numbers (`ivr.calls.number_keys`)."""
    parts = urlsplit(url)
    kind = parts.scheme.partition("+")[0]
    path = unquote(parts.path)
    if kind == "sqlite":
        return kind, str(Path(path.removeprefix("/") if path.startswith("//") else path).resolve())
    asked = dict(parse_qsl(parts.query))  # libpq's other way; a schema of its own would be no database of its own
    host = asked.get("hostaddr") or parts.hostname or asked.get("host", "localhost")
    port = str(parts.port or asked.get("port", "5432"))
    name = asked.get("dbname") or path.strip("/") or unquote(parts.username or "")  # libpq's own default
    return kind, "localhost" if _is_here(host) else host, port, name


def _is_here(host: str) -> bool:
    """Loopback, or the folder of a socket."""
    return host in LOOPBACK or host.startswith(("127.", "/"))


def _overlap(one: Path, other: Path) -> bool:
    one, other = one.resolve(), other.resolve()
    return one == other or one in other.parents or other in one.parents
