"""Settings from one place: `config/default.yaml`, then the environment; wrong ones are all told at once, at start."""

import os
import secrets
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

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
    web_workers: int = Field(ge=1, le=64)
    web_threads: int = Field(ge=1, le=200)
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
    log_level: Literal["debug", "info", "warning", "error"]
    log_format: Literal["text", "json", "auto"]
    trunk_bind: str
    trunk_advertise: str
    trunk_port: int = Field(ge=0, le=65535)
    trunk_tls_port: int = Field(ge=0, le=65535)
    trunk_tls_cert: str
    trunk_tls_key: str
    trunk_peers: str
    trunk_user: str
    trunk_password: str = Field(repr=False)
    trunk_flows: str
    trunk_rtp_ports: str = Field(pattern=r"^\d{4,5}-\d{4,5}$")
    trunk_max_calls: int = Field(ge=1, le=20_000)
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
