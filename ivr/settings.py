"""Settings: `config/default.yaml`, the project's `tonetill.yaml`, the environment; each wins over those before it.

Wrong ones are all told at once, at start, with the line or the variable that set them.
"""

import os
import secrets
import stat
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from ivr.errors import ConfigError
from ivr.merchants.merchants_file import Installation, Merchant, chosen_merchant
from ivr.merchants.place import FILES_OF_THE_INSTALLATION, OF_THE_INSTALLATION, UNLESS_ITS_OWN, MerchantPlace
from ivr.places import PROJECT_FILE, SHIPPED, project_folder, shown
from ivr.reading.environment_text import EnvironmentText, read_environment
from ivr.reading.rules.reading import NOTHING_WRITTEN
from ivr.reading.written_settings import WrittenSettings
from ivr.reading.yaml_source import Source, read_yaml

DEFAULTS = SHIPPED / "config" / "default.yaml"
LOOPBACK = ("localhost", "127.0.0.1", "::1")
ENVIRONMENT_FILE = ".env"  # in a merchant's folder
SHIPPED_TRUNK_FLOWS = "pay=pay-a-bill"  # a site without a trunk leaves it so, whatever its flows are called
DEVELOPMENT_TOKEN_FILE = Path("keys") / "twilio_auth_token"  # below VAR


class Settings(BaseModel):
    """What each means is said beside its default in `config/default.yaml`. Paths are relative to the project."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    environment: Literal["development", "production"]
    port: int = Field(ge=1, le=65535)
    host: str
    console_port: int = Field(ge=1, le=65535)
    console_host: str
    browser_phone: Literal["on", "off", "auto"]
    web_workers: int = Field(ge=1, le=64)
    web_threads: int = Field(ge=1, le=24)  # a database pool has as many connections
    web_read_s: float = Field(gt=0, le=60)
    public_url: str
    portal_port: int = Field(ge=1, le=65535)
    portal_host: str
    portal_url: str
    portal_networks: str
    portal_proxies: str
    portal_idle_minutes: int = Field(ge=1, le=24 * 60)
    portal_hours: int = Field(ge=1, le=24)
    portal_alone_up_to: str
    portal_second_author: Literal["auto", "on", "off"]
    oidc_issuer: str
    oidc_client_id: str
    oidc_client_secret: str = Field(repr=False)
    oidc_claim: str = Field(pattern=r"^[A-Za-z0-9_:./-]{1,80}$")
    oidc_multi_factor: str
    oidc_ca: str
    twilio_auth_token: str = Field(repr=False)
    twilio_account_sid: str
    sms_from: str
    pay_connector_password: str = Field(repr=False)
    var: Path
    database_url: str = Field(repr=False)
    flows: Path
    banks: Path
    merchant: str = Field(pattern=r"^[A-Za-z0-9._-]{1,40}$")
    accounts: Path | None
    billing_url: str
    billing_token: str = Field(repr=False)
    billing_secret: str = Field(repr=False)
    billing_ca: str
    notices_url: str
    notices_kinds: str
    notices_secret: str = Field(repr=False)
    notices_ca: str
    smtp_url: str = Field(repr=False)
    smtp_from: str
    smtp_ca: str
    alert_emails: str
    alert_bank_silent_minutes: int = Field(ge=0, le=24 * 60)
    alert_unknown: int = Field(ge=0, le=100_000)
    alert_declines_percent: int = Field(ge=0, le=100)
    alert_cards: int = Field(ge=0, le=100_000)
    alert_block_cards: int = Field(ge=0, le=100_000)
    alert_line_cards: int = Field(ge=0, le=100_000)
    alert_bin_cards: int = Field(ge=0, le=100_000)
    alert_bin_percent: int = Field(ge=0, le=100)
    alert_certificate_days: int = Field(ge=0, le=365)
    alert_disk_percent: int = Field(ge=0, le=50)
    alert_late_percent: int = Field(ge=0, le=100)
    alert_forged: int = Field(ge=0, le=1_000_000)
    alert_over_minutes: int = Field(ge=1, le=24 * 60)
    keep_turns_days: int = Field(ge=0, le=36_500)
    keep_texts_days: int = Field(ge=0, le=36_500)
    keep_numbers_days: int = Field(ge=0, le=36_500)
    keep_calls_days: int = Field(ge=0, le=36_500)
    keep_notices_days: int = Field(ge=0, le=36_500)
    keep_remembered_days: int = Field(ge=0, le=36_500)
    keep_sessions_days: int = Field(ge=0, le=36_500)
    merchant_name: str = Field(max_length=60)
    transfers: Literal["on", "off"]
    pay_link: str
    pay_link_key: str = Field(repr=False)
    pay_link_hours: int = Field(ge=1, le=24 * 90)
    log_level: Literal["debug", "info", "warning", "error"]
    log_format: Literal["text", "json", "auto"]
    trunk_bind: str
    trunk_advertise: str
    trunk_port: int = Field(ge=0, le=65535)
    trunk_tls_port: int = Field(ge=0, le=65535)
    trunk_tls_cert: str
    trunk_tls_key: str
    trunk_tls_client_ca: str
    trunk_srtp: Literal["required", "optional", "off"]
    trunk_peers: str
    trunk_user: str
    trunk_password: str = Field(repr=False)
    trunk_flows: str
    trunk_called_number: Literal["request-uri", "to"]
    trunk_plus: Literal["exact", "ignored"]
    trunk_rtp_ports: str = Field(pattern=r"^\d{4,5}-\d{4,5}$")
    trunk_max_calls: int = Field(ge=1, le=20_000)
    trunk_max_unanswered: int = Field(ge=1, le=20_000)
    trunk_max_minutes: int = Field(ge=1, le=24 * 60)
    trunk_drain_s: int = Field(ge=0, le=24 * 3600)
    trunk_register: str
    trunk_register_password: str = Field(repr=False)
    trunk_record: str
    trunk_voice: Literal["espeak", "recorded", "tones", "auto"]
    audiosocket_port: int = Field(ge=0, le=65535)
    _place: MerchantPlace = PrivateAttr(default_factory=MerchantPlace)

    @field_validator("accounts", mode="before")
    @classmethod
    def no_accounts(cls, written: object) -> object:
        return None if written == "" else written

    @field_validator("var", "flows", "banks", "accounts")
    @classmethod
    def below_project(cls, path: Path | None, info: ValidationInfo) -> Path | None:
        return None if path is None else _project(info) / path

    @field_validator(
        "trunk_record",
        "trunk_tls_cert",
        "trunk_tls_key",
        "trunk_tls_client_ca",
        "billing_ca",
        "notices_ca",
        "smtp_ca",
        "oidc_ca",
    )
    @classmethod
    def below_project_if_set(cls, path: str, info: ValidationInfo) -> str:
        return str(_project(info) / path) if path else ""

    @field_validator("merchant_name")
    @classmethod
    def can_be_written(cls, name: str) -> str:
        if not name.isprintable():
            raise ValueError("expected one line of text: it stands in receipts")
        return name

    @field_validator("database_url")
    @classmethod
    def absolute_sqlite(cls, url: str, info: ValidationInfo) -> str:
        prefix = "sqlite:///"
        if _is_in_memory(url):
            raise ValueError(
                "a database in memory is lost when the process ends, and no other process sees it: name a file, such as "
                "sqlite:///var/tonetill.db, or leave it empty"
            )
        if not url:
            return f"{prefix}{info.data.get('var', _project(info)) / 'tonetill.db'}"
        if url.startswith(prefix) and not url.startswith("sqlite:////"):
            return f"{prefix}{_project(info) / url.removeprefix(prefix)}"
        return url

    @model_validator(mode="after")
    def trunk_lets_nobody_in_by_mistake(self) -> "Settings":
        wrong = []
        if bool(self.trunk_user.strip()) != bool(self.trunk_password.strip()):
            given, missing = ("USER", "PASSWORD") if self.trunk_user.strip() else ("PASSWORD", "USER")
            wrong.append(f"TRUNK_{given} needs TRUNK_{missing}: a login with only one of them would keep nobody out")
        if not self.trunk_tls_port and self.trunk_srtp == "required":
            wrong.append("TRUNK_SRTP=required needs TRUNK_TLS_PORT: without TLS every call would be refused")
        if not self.trunk_tls_port and self.trunk_tls_client_ca:
            wrong.append("TRUNK_TLS_CLIENT_CA needs TRUNK_TLS_PORT: without TLS nobody shows a certificate")
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    @property
    def place(self) -> MerchantPlace:
        return self._place

    def placed(self, place: MerchantPlace) -> "Settings":
        self._place = place
        return self

    @property
    def has_browser_phone(self) -> bool:
        """It shows what a caller never sees, and lets whoever is at this machine place calls."""
        return self.browser_phone == "on" or (self.browser_phone == "auto" and self.environment == "development")

    @property
    def takes_two_authors(self) -> bool:
        """Nobody alone changes what callers hear and pay by; one who tries things out has nobody beside them."""
        is_production = self.environment == "production"
        return self.portal_second_author == "on" or (self.portal_second_author == "auto" and is_production)

    @property
    def portal_origin(self) -> str:
        """As browsers write it. By name: they make no passkeys for addresses (WebAuthn 5.1.3: an RP ID is a domain)."""
        named = "localhost" if self.portal_host in LOOPBACK else self.portal_host
        return (self.portal_url or f"http://{named}:{self.portal_port}").rstrip("/")

    @property
    def base_url(self) -> str:
        """What Twilio's signature is computed over, before the path."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def portal_address(self) -> str:
        """Of its pages, without the last slash."""
        return f"{self.portal_origin}{self.place.mount}"


def load_settings(environ: Mapping[str, str] | None = None, project: Path | None = None) -> Settings:
    """Of this project, or of the one that `ivr.places` finds; in an installation of several merchants of the one that is meant.

    ConfigError lists every wrong setting with where it was set.
    """
    environ = os.environ if environ is None else environ
    folder = project or project_folder(environ)
    chosen = chosen_merchant(folder, environ)
    return merchant_settings(*chosen, environ).settings if chosen else line_settings(folder, environ)


def line_settings(folder: Path, environ: Mapping[str, str]) -> Settings:
    """Of the folder's own line."""
    return _validated(_read_all(folder, environ), folder)


def shared_settings(installation: Installation, environ: Mapping[str, str]) -> Settings:
    """What all merchants share. The rest of it is nobody's: no token is made for a line that there is not."""
    written = _read_all(installation.folder, environ)
    return _validated(
        replace(written, from_environment={**written.from_environment, "twilio_auth_token": "none"}),
        installation.folder,
    )


@dataclass(frozen=True)
class MerchantSettings:
    """With where each was set, for what is found to be wrong with them later."""

    settings: Settings
    _written: WrittenSettings

    def line(self, name: str, message: str) -> str:
        return self._written.line(name, message)


def merchant_settings(installation: Installation, merchant: Merchant, environ: Mapping[str, str]) -> MerchantSettings:
    """What `config/default.yaml` says, then the installation's own of what all share, then the merchant's `tonetill.yaml` and
    `.env`. The environment of the process gives only what all share: a DATABASE_URL there would be everybody's."""
    shared = _read_all(installation.folder, environ)
    own = _read_own(merchant.folder)
    file = _own_environment(merchant.folder)
    named = {name: file.values[name.upper()] for name in Settings.model_fields if name.upper() in file.values}
    inherited = {"merchant": merchant.name, **_shared_values(shared, installation.folder)}
    written = WrittenSettings(shared.known, [*shared.files[:1], *own], named, file, inherited)
    if problems := list(written.not_theirs(OF_THE_INSTALLATION, shown(installation.folder / PROJECT_FILE))):
        raise ConfigError("\n".join(problems))
    others = installation.others_numbers(merchant.name)
    place = MerchantPlace(merchant.name, merchant.mount, merchant.numbers, others, file.values)
    return MerchantSettings(_validated(written, merchant.folder).placed(place), written)


def _shared_values(shared: WrittenSettings, folder: Path) -> dict[str, Any]:
    """Files are relative to the installation's folder, whoever uses them."""
    own = {
        name: value for name, value in shared.values(after=1).items() if name in OF_THE_INSTALLATION | UNLESS_ITS_OWN
    }
    files = {name: str(folder / own[name]) for name in FILES_OF_THE_INSTALLATION if own.get(name)}
    return own | files


def _validated(written: WrittenSettings, folder: Path) -> Settings:
    values = written.values()
    if values.get("environment") == "development" and not values.get("twilio_auth_token"):
        values["twilio_auth_token"] = _development_token(folder / str(values.get("var", "var")))
    try:
        return Settings.model_validate(values, context={"project": folder})
    except ValidationError as error:
        raise ConfigError("\n".join(written.explain(error))) from None


def _read_all(folder: Path, environ: Mapping[str, str]) -> WrittenSettings:
    sources = [_source(DEFAULTS.name, DEFAULTS), *_read_own(folder)]
    named = {name: environ[name.upper()] for name in Settings.model_fields if name.upper() in environ}
    return WrittenSettings(Settings.model_fields.keys(), sources, named)


def _read_own(folder: Path) -> list[Source]:
    """The project's own file, where it has one."""
    own = folder / PROJECT_FILE
    return [_source(shown(own), own)] if own.is_file() else []


def _own_environment(folder: Path) -> EnvironmentText:
    """Of a merchant's `.env`; empty where there is none."""
    file = folder / ENVIRONMENT_FILE
    if not file.exists():
        return EnvironmentText(shown(file))
    if stat.S_IMODE(file.stat().st_mode) & 0o077:
        raise ConfigError(f"{shown(file)}: others on this machine can read it: chmod 600 {shown(file)}")
    try:
        return read_environment(shown(file), _read(file).decode("utf-8"))
    except UnicodeDecodeError:
        raise ConfigError(f"{shown(file)}: not UTF-8 text") from None


def _source(name: str, file: Path) -> Source:
    source = read_yaml(name, _read(file))
    if not source.problems and not isinstance(source.tree, dict):
        source.problems.append(
            source.problem(NOTHING_WRITTEN, (), "expected settings, each a line such as", "port: 8000")
        )
    if source.problems:
        raise ConfigError("\n".join(map(str, source.problems)))
    return source


def _is_in_memory(url: str) -> bool:
    """SQLAlchemy's ways to name no file: `sqlite://`, `sqlite:///`, `:memory:`, with or without a driver's name."""
    kind, _, place = url.partition("://")
    name = place.partition("?")[0].removeprefix("/")
    return kind.partition("+")[0] == "sqlite" and (name in ("", ":memory:") or "mode=memory" in place)


def _project(info: ValidationInfo) -> Path:
    folder = (info.context or {})["project"]
    assert isinstance(folder, Path)
    return folder


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read {file}: {error.strerror}") from None


def _development_token(var: Path) -> str:
    """Made once on this machine, so that even a development engine answers nobody who cannot read its files."""
    file = var / DEVELOPMENT_TOKEN_FILE
    try:
        return file.read_text().strip()
    except OSError:
        _make_folder(file.parent)
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(secrets.token_hex(16))
    try:
        os.link(draft, file)  # the first process to get here decides
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return file.read_text().strip()


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{folder}: {error.strerror}: set VAR to a folder that can be written") from None


def trunk_flow_problems(written: str, flows: Collection[str]) -> list[str]:
    """What is wrong with TRUNK_FLOWS, pair by pair; `flows` are the names that there are."""
    there = ", ".join(sorted(flows))
    pairs = [(pair, *pair.strip().partition("=")) for pair in written.split(",")]
    return [
        f"TRUNK_FLOWS: '{pair}': expected number=flow; flows: {there}"
        for pair, number, _, flow in pairs
        if not number or flow not in flows
    ]
