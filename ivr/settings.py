"""Settings from one place: `config/default.yaml`, then the environment; wrong ones are all told at once, at start."""

import os
import secrets
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator, model_validator

from ivr.core.problems import did_you_mean
from ivr.core.yaml_source import read_yaml
from ivr.errors import ConfigError

ROOT = Path(__file__).resolve().parent.parent
DEFAULTS = ROOT / "config" / "default.yaml"
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

    @field_validator("accounts", mode="before")
    @classmethod
    def no_accounts(cls, written: object) -> object:
        return None if written == "" else written

    @field_validator("var", "flows", "banks", "accounts")
    @classmethod
    def below_root(cls, path: Path | None) -> Path | None:
        return path if path is None or path.is_absolute() else ROOT / path

    @field_validator("database_url")
    @classmethod
    def absolute_sqlite(cls, url: str, info: ValidationInfo) -> str:
        prefix = "sqlite:///"
        if not url:
            return f"{prefix}{info.data.get('var', ROOT) / 'tonetill.db'}"
        if url.startswith(prefix) and not url.startswith("sqlite:////") and url != "sqlite://":
            return f"{prefix}{ROOT / url.removeprefix(prefix)}"
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
    def has_browser_phone(self) -> bool:
        """It shows what a caller never sees, and lets whoever is at this machine place calls."""
        return self.browser_phone == "on" or (self.browser_phone == "auto" and self.environment == "development")

    @property
    def base_url(self) -> str:
        """What Twilio's signature is computed over, before the path."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")


def load_settings(environ: dict[str, str] | None = None, file: Path = DEFAULTS) -> Settings:
    """ConfigError lists every wrong setting with where it was set."""
    environ = dict(os.environ) if environ is None else environ
    source = read_yaml(file.name, _read(file))
    if source.problems:
        raise ConfigError("\n".join(map(str, source.problems)))
    values: dict[str, Any] = dict(source.tree)
    from_environment = {name for name in Settings.model_fields if name.upper() in environ}
    values |= {name: environ[name.upper()] for name in from_environment}
    if values.get("environment") == "development" and not values.get("twilio_auth_token"):
        values["twilio_auth_token"] = _development_token(ROOT / str(values.get("var", "var")))
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise ConfigError("\n".join(_explain(source, from_environment, error))) from None


def _explain(source: Any, from_environment: set[str], error: ValidationError) -> list[str]:
    lines = []
    for found in error.errors(include_input=False, include_url=False, include_context=False):
        name = str(found["loc"][0]) if found["loc"] else ""
        message = found["msg"].removeprefix("Value error, ")
        if found["type"] == "extra_forbidden":
            near = did_you_mean(name, Settings.model_fields)
            lines.append(str(source.problem((name,), f"there is no setting '{name}'", near)))
        elif not name:
            lines.append(message)
        elif name in from_environment:
            lines.append(f"environment variable {name.upper()}: {message}")
        else:
            lines.append(str(source.problem((name,), f"{name}: {message}")))
    return lines


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {file}: {error.__class__.__name__}; restore it from the repository") from None


def _development_token(var: Path) -> str:
    """Made once on this machine, so that even a development engine answers nobody who cannot read its files."""
    file = var / DEVELOPMENT_TOKEN_FILE
    try:
        return file.read_text().strip()
    except OSError:
        file.parent.mkdir(parents=True, exist_ok=True)
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
