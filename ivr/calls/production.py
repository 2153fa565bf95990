"""What must not reach production, found all at once: development keys, demo data, loopback banks, weak secrets.

Settings that are wrong in themselves (a port that is no number) are refused earlier, by `ivr.settings`.
"""

import ipaddress
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import NameOID

from ivr.bank import BankSettings, Opening, VaultSealed, line_of_bank, load_banks, protocol_called
from ivr.calls.alert_settings import alert_receivers
from ivr.calls.bank_keys import line_of_problem
from ivr.calls.billing import access_of
from ivr.calls.billing_secret import webhook_of
from ivr.calls.emailing import mail_server_of
from ivr.calls.notice_settings import require_notice_settings
from ivr.calls.pay_links import pay_links_of
from ivr.errors import ConfigError
from ivr.places import COMMAND, SHIPPED
from ivr.settings import DEVELOPMENT_TOKEN_FILE, SHIPPED_TRUNK_FLOWS, Settings, trunk_flow_problems
from ivr.store import open_store

TWILIO_TOKEN_LENGTH = 32  # hexadecimal digits, as Twilio's console shows it
SHORTEST_PASSWORD = 12
DEVELOPMENT_AUTHORITY = "Tonetill development authority"
DEMO_MERCHANT = "demo-merchant"
_FLOW_NAME = re.compile(r"^flow:[ \t]*[\"']?([^\s\"'#]+)", re.MULTILINE)
DEMO_ACCOUNTS = SHIPPED / "config" / "accounts.csv"


def require_production(settings: Settings, *, opens_keys: bool = False) -> None:
    """ConfigError names everything that is only safe on a laptop, each with its cure; in development, a live bank.

    `opens_keys`: also whether the banks' client keys fit, for processes that may read them; the web process may not.
    """
    if settings.environment != "production":
        _refuse_live_banks(settings)
        return
    problems = [*_settings_problems(settings), *_bank_problems(settings, opens_keys), *_key_problems(settings)]
    if problems:
        listed = "\n".join(f"  - {problem}" for problem in problems)
        raise ConfigError(f"ENVIRONMENT=production refuses what is only safe on a laptop:\n{listed}")


def _refuse_live_banks(settings: Settings) -> None:
    """A machine for trying things out must not be able to charge anybody. What is wrong with the file is told elsewhere."""
    for name, bank in load_banks(settings.banks, settings.var).items():
        if _is_live(settings, name, bank):
            raise ConfigError(_live_here(settings.banks, name, bank))


def wrong_system(settings: Settings, name: str, bank: BankSettings) -> str:
    """A live bank in development, or a test one in production; empty where neither. ConfigError for a secret that is none."""
    is_live, is_production = _is_live(settings, name, bank), settings.environment == "production"
    if is_live is None or is_live == is_production:
        return ""
    return _live_here(settings.banks, name, bank) if is_live else _test_here(settings.banks, name, bank)


def _live_here(file: Path, name: str, bank: BankSettings) -> str:
    wrong = f"url {bank.url}, with its key, charges real cards, and this is ENVIRONMENT=development"
    return line_of_bank(file, name, wrong, "set the bank's test address or test key, or ENVIRONMENT=production")


def _test_here(file: Path, name: str, bank: BankSettings) -> str:
    wrong = f"url {bank.url}, with its key, is the bank's test system"
    return line_of_bank(file, name, wrong, "set the address or the key of the live one")


def _settings_problems(settings: Settings) -> Iterator[str]:
    yield from _twilio_problems(settings)
    yield from wrong_settings(settings)
    if settings.merchant == DEMO_MERCHANT:
        yield f"MERCHANT is still '{DEMO_MERCHANT}': set it to your merchant id at the bank"
    if settings.accounts is not None and _is_demo(settings.accounts):
        yield "ACCOUNTS is the demo file: set it to your own CSV file, or to nothing (ACCOUNTS=) where BILLING_URL is set"
    if settings.pay_connector_password and len(settings.pay_connector_password) < SHORTEST_PASSWORD:
        yield f"PAY_CONNECTOR_PASSWORD is shorter than {SHORTEST_PASSWORD} characters: choose a longer one"
    if settings.trunk_password and len(settings.trunk_password) < SHORTEST_PASSWORD:
        yield f"TRUNK_PASSWORD is shorter than {SHORTEST_PASSWORD} characters: choose a longer one"


def wrong_settings(settings: Settings) -> Iterator[str]:
    """What a process refuses at its start, in development too."""
    found = [*_billing_problems(settings), *_notice_problems(settings), *_trunk_problems(settings)]
    yield from dict.fromkeys(found)


def _is_demo(accounts: Path) -> bool:
    """A project begins with a copy of the demo file."""
    try:
        return accounts.read_bytes() == DEMO_ACCOUNTS.read_bytes()
    except OSError:
        return False


def _twilio_problems(settings: Settings) -> Iterator[str]:
    """A site without Twilio sets neither PUBLIC_URL nor a token; its webhooks then refuse every request."""
    token, url = settings.twilio_auth_token, settings.public_url
    if token and not is_twilio_token(token):
        yield f"TWILIO_AUTH_TOKEN is not one of Twilio's ({TWILIO_TOKEN_LENGTH} hexadecimal digits): copy it from Twilio's console"
    elif token and token == _development_token(settings):
        yield "TWILIO_AUTH_TOKEN is the one made for development: copy the account's own from Twilio's console"
    if url and (urlsplit(url).scheme != "https" or not _host(url)):
        yield "PUBLIC_URL must be the https:// address that Twilio calls, such as https://pay.example.com"
    elif url and _is_loopback(_host(url)):
        yield "PUBLIC_URL names this machine's own loopback address, which Twilio cannot call: use the public https:// address"
    if url and not token:
        yield "PUBLIC_URL is set and TWILIO_AUTH_TOKEN is not: without it no webhook of Twilio's can be believed"
    if token and not url and not settings.twilio_account_sid:
        yield "TWILIO_AUTH_TOKEN is set and PUBLIC_URL is not: set the https:// address that Twilio calls"
    if settings.twilio_account_sid and not token:
        yield "TWILIO_ACCOUNT_SID is set and TWILIO_AUTH_TOKEN is not: no text could be sent"


def _billing_problems(settings: Settings) -> Iterator[str]:
    try:
        pay_links_of(settings)
    except ConfigError as error:
        yield str(error)
    if not settings.billing_url:
        return
    for read in (access_of, webhook_of):
        try:
            read(settings)
        except ConfigError as error:
            yield str(error)
    if settings.billing_ca and not Path(settings.billing_ca).is_file():
        yield f"BILLING_CA: there is no file {settings.billing_ca}"


def _notice_problems(settings: Settings) -> Iterator[str]:
    for read in (require_notice_settings, mail_server_of, alert_receivers):
        try:
            read(settings)
        except ConfigError as error:
            yield str(error)
    if settings.notices_ca and not Path(settings.notices_ca).is_file():
        yield f"NOTICES_CA: there is no file {settings.notices_ca}"


def _trunk_problems(settings: Settings) -> Iterator[str]:
    if settings.trunk_tls_port and not (settings.trunk_tls_cert and settings.trunk_tls_key):
        yield "TRUNK_TLS_PORT needs TRUNK_TLS_CERT and TRUNK_TLS_KEY (PEM files)"
    if settings.trunk_flows != SHIPPED_TRUNK_FLOWS:
        problems = trunk_flow_problems(settings.trunk_flows, _flow_names(settings.flows))
        # A published flow needs no file.
        yield from problems and trunk_flow_problems(
            settings.trunk_flows, _flow_names(settings.flows) | _published(settings)
        )


def _published(settings: Settings) -> set[str]:
    """None of a database that cannot be read: that is told where it is opened."""
    try:
        store = open_store(settings.database_url)
    except ConfigError:
        return set()
    try:
        return set(store.published_flows())
    finally:
        store.close()


def _flow_names(folder: Path) -> set[str]:
    """Of flows with problems too: those are told elsewhere, and stop only themselves."""
    files = sorted(folder.glob("*.yaml"))
    return {name for file in files for name in _FLOW_NAME.findall(file.read_text(encoding="utf-8", errors="replace"))}


def _bank_problems(settings: Settings, opens_keys: bool) -> Iterator[str]:
    try:
        banks = load_banks(settings.banks, settings.var)
    except ConfigError as error:
        yield from str(error).splitlines()
        return
    for name, bank in banks.items():
        if _is_loopback(_host(bank.url)):
            yield f"{settings.banks}: {name}: url {bank.url} is this machine (the simulator): set your bank's address"
        yield from _live_problems(settings, name, bank)
        yield from files_problems(name, bank, opens_keys)


def _live_problems(settings: Settings, name: str, bank: BankSettings) -> Iterator[str]:
    """A process without the bank's secret leaves it to the forwarder, which cannot do without."""
    try:
        is_live = _is_live(settings, name, bank)
    except ConfigError as error:
        yield str(error)
        return
    if is_live is False:
        yield _test_here(settings.banks, name, bank)


def _is_live(settings: Settings, name: str, bank: BankSettings) -> bool | None:
    """By the bank's address or secret; ConfigError, with the bank's line, for a secret that is none."""
    try:
        return protocol_called(bank.protocol).is_live(Opening(name, bank, settings.place.environ))
    except ConfigError as error:
        raise ConfigError(line_of_problem(settings.banks, name, bank, str(error))) from None


def files_problems(name: str, bank: BankSettings, opens_keys: bool) -> Iterator[str]:
    """The key that opens cards need not be where the web process is, nor be seen by it."""
    yield from _file_problems(name, bank, opens_keys)
    names = {file: key for key, file in bank.files().items()}
    for ours, its in bank.key_pairs() if opens_keys else ():
        key = names[its]
        if not _belong_together(ours, its):
            yield f"{name}: {key}: {its} is not the key of {ours}: copy the one that is"


def _file_problems(name: str, bank: BankSettings, opens_keys: bool) -> Iterator[str]:
    is_unseen = not opens_keys and isinstance(bank, VaultSealed)
    for key, file in bank.files().items():
        if is_unseen and key.endswith("opening_key"):
            continue
        if not file.is_file():
            yield f"{name}: {key}: there is no file {file}: copy the one {_issuer(bank, key)} there, or change banks.yaml"
        elif _is_from_development(file):
            yield f"{name}: {key}: {file} was made for development: replace it by the one {_issuer(bank, key)}"


def _issuer(bank: BankSettings, key: str) -> str:
    is_ours = isinstance(bank, VaultSealed) and key.startswith(("sealing_key", "opening_key"))
    return f"that `{COMMAND} set-up` makes in production" if is_ours else "your bank issued"


def _key_problems(settings: Settings) -> Iterator[str]:
    if (settings.var / "bank" / "ca.key").exists():
        yield f"VAR={settings.var} was set up for development (the simulator's keys, the demo accounts): set it to a new folder"
    file = settings.var / "keys" / "fingerprint.key"
    if not file.is_file():
        yield f"there is no {file}: `{COMMAND} set-up` makes it"


def is_twilio_token(token: str) -> bool:
    """The form Twilio gives out; `0000...` and other single-character fillers are nobody's token."""
    is_hexadecimal = set(token.lower()) <= set("0123456789abcdef")
    return len(token) == TWILIO_TOKEN_LENGTH and is_hexadecimal and len(set(token)) > 1


def _development_token(settings: Settings) -> str:
    try:
        return (settings.var / DEVELOPMENT_TOKEN_FILE).read_text().strip()
    except OSError:
        return ""


def _is_from_development(file: Path) -> bool:
    """A certificate that the development authority issued. A bare key cannot say where it comes from."""
    try:
        certificate = x509.load_pem_x509_certificate(file.read_bytes())
    except (OSError, ValueError):
        return False
    issuers = certificate.issuer.get_attributes_for_oid(NameOID.COMMON_NAME)
    return any(issuer.value == DEVELOPMENT_AUTHORITY for issuer in issuers)


def _belong_together(certificate: Path, key: Path) -> bool:
    """True also where one of them cannot be read: that is told by itself."""
    try:
        public = x509.load_pem_x509_certificate(certificate.read_bytes()).public_key()
        private = load_pem_private_key(key.read_bytes(), password=None)
    except (OSError, ValueError, TypeError):
        return True
    return private.public_key() == public


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _is_loopback(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
    return address.is_loopback or address.is_unspecified
