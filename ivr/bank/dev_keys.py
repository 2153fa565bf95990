"""Keys and certificates for development, as files: what a bank and its merchant would each have. In production the bank
issues them.

`python -m ivr.bank.dev_keys var/keys` makes what is missing and renews what is about to expire; running it again
changes nothing. What only the bank may have goes into the bank's folder, and we never read that.
"""

import fcntl
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from ivr.bank.certificates import Issuer, PrivateKey, Use, issue
from ivr.bank.hpke_pair import new_hpke_pair, public_half
from ivr.errors import ConfigError

RENEW_BEFORE = timedelta(days=30)
SEALING_KEY_BITS = 3072  # NIST SP 800-57 part 1, table 2: 128 bits of strength
FINGERPRINT_KEY_BYTES = 32
FORWARDERS = "forwarder-sealing"


def make_development_keys(keys: Path, bank: Path, now: datetime | None = None) -> None:
    """`keys`: ours. `bank`: the simulator's. Two processes may do this at once; ConfigError names an unusable file."""
    now = now or datetime.now(UTC)
    for folder in (keys, bank):
        make_private_folder(folder)
    with one_at_a_time(keys):
        authority = Pair(bank / "ca", "Tonetill development authority", "authority", new_tls_key)
        signer, its_certificate = authority.renew(None, now)
        Pair(bank / "server", "localhost", "server", new_tls_key).renew((signer, its_certificate), now)
        sealing = Pair(bank / "sealing", "development bank", "sealing", new_sealing_key)
        _, sealing_certificate = sealing.renew((signer, its_certificate), now)
        Pair(keys / FORWARDERS, "development forwarder", "sealing", new_sealing_key).renew(
            (signer, its_certificate), now
        )
        Pair(keys / "client", "demo-merchant", "client", new_tls_key).renew((signer, its_certificate), now)
        replace(keys / "bank-ca.crt", pem(its_certificate))
        replace(keys / "bank-sealing.crt", pem(sealing_certificate))
        make_hpke_pair(bank / "sealing-hpke.jwk", keys / "bank-sealing-hpke.jwk")
        if not (keys / "fingerprint.key").exists():
            replace(keys / "fingerprint.key", secrets.token_bytes(FINGERPRINT_KEY_BYTES))


def make_hpke_pair(private: Path, public: Path) -> None:
    """For `seal: hpke-x25519-mlkem768`. The private half is made once."""
    if not private.exists():
        replace(private, new_hpke_pair()[0])
    try:
        replace(public, public_half(private.read_bytes()))
    except (ValueError, AttributeError):
        raise ConfigError(f"{private}: not a JWK; remove it and a new one is made") from None


def make_forwarders_key(keys: Path, now: datetime | None = None) -> None:
    """The pair to which fields are sealed for banks that want cards in clear; ours in production too, so it signs itself.

    Where one half lies there already, nothing is made: a certificate of ours would hide where the key comes from.
    """
    make_private_folder(keys)
    pair = Pair(keys / FORWARDERS, "Tonetill forwarder", "own sealing", new_sealing_key)
    with one_at_a_time(keys):
        if not any(pair.file.with_suffix(half).exists() for half in (".key", ".crt")):
            pair.renew(None, now or datetime.now(UTC))


def new_forwarders_key(keys: Path, name: str) -> tuple[Path, Path]:
    """One more of these pairs, beside those that are there: certificate and key. ConfigError where it is there already."""
    pair = Pair(keys / f"{FORWARDERS}-{name}", "Tonetill forwarder", "own sealing", new_sealing_key)
    halves = pair.file.with_suffix(".crt"), pair.file.with_suffix(".key")
    with one_at_a_time(keys):
        require_new(*halves)
        pair.renew(None, datetime.now(UTC))
    return halves


def new_bank_key(keys: Path, bank: Path, name: str, *, by_hpke: bool) -> Path:
    """One more key of the simulator's, which it opens from its next SIGHUP on; the public half is where ours are."""
    with one_at_a_time(keys):
        if by_hpke:
            public = keys / f"bank-sealing-hpke-{name}.jwk"
            require_new(public)
            make_hpke_pair(bank / f"sealing-hpke-{name}.jwk", public)
            return public
        public, key = keys / f"bank-sealing-{name}.crt", new_sealing_key()
        require_new(public)
        replace(bank / f"sealing-{name}.key", private_pem(key))
        own = Issuer("development bank", key)
        replace(public, pem(issue(own.name, "sealing", key, own, datetime.now(UTC))))
        return public


def require_new(*files: Path) -> None:
    for file in files:
        if file.exists():
            raise ConfigError(f"{file}: there is one already: choose another day with --from")


@dataclass(frozen=True)
class Pair:
    """`file`.crt and `file`.key, which belong together."""

    file: Path
    name: str
    use: Use
    new_key: Callable[[], PrivateKey]

    def renew(self, by: tuple[Issuer, x509.Certificate] | None, now: datetime) -> tuple[Issuer, x509.Certificate]:
        """A renewed certificate keeps its key: what has been sealed to it can still be opened. `by` None: signs itself."""
        key = self.read_key()
        certificate = self.read_certificate()
        if key is None:
            key, certificate = self.new_key(), None
            replace(self.file.with_suffix(".key"), private_pem(key))
        own = Issuer(self.name, key)
        if certificate is None or not is_good(certificate, key, by[1] if by else None, now):
            certificate = issue(self.name, self.use, key, by[0] if by else own, now)
            replace(self.file.with_suffix(".crt"), pem(certificate))
        return own, certificate

    def read_key(self) -> PrivateKey | None:
        file = self.file.with_suffix(".key")
        try:
            # We made it: that it is made of primes need not be proved again, for a tenth of a second.
            key = load_pem_private_key(file.read_bytes(), password=None, unsafe_skip_rsa_key_validation=True)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError):
            raise ConfigError(f"{file}: not a readable private key; remove it and a new one is made") from None
        if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
            raise ConfigError(f"{file}: neither RSA nor EC; remove it and a new one is made")
        return key

    def read_certificate(self) -> x509.Certificate | None:
        file = self.file.with_suffix(".crt")
        try:
            return x509.load_pem_x509_certificate(file.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            raise ConfigError(f"{file}: not a readable certificate; remove it and a new one is made") from None


def is_good(certificate: x509.Certificate, key: PrivateKey, by: x509.Certificate | None, now: datetime) -> bool:
    """Of this key, by this authority, and for a while yet."""
    if certificate.not_valid_after_utc - now < RENEW_BEFORE or certificate.public_key() != key.public_key():
        return False
    try:
        certificate.verify_directly_issued_by(by or certificate)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def new_tls_key() -> PrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def new_sealing_key() -> PrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=SEALING_KEY_BITS)


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)


def private_pem(key: PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def replace(file: Path, content: bytes) -> None:
    """Whole or not at all, and readable by its owner only from its first byte on."""
    if file.exists() and file.read_bytes() == content:
        return
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())
    draft.replace(file)


def make_private_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError as error:
        raise ConfigError(f"{folder}: {error.strerror}; choose a folder that can be written") from None


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """The lock goes with the process that holds it, however that ends."""
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@click.command()
@click.argument("keys", type=click.Path(path_type=Path))
@click.option("--bank", type=click.Path(path_type=Path), help="The bank's own folder; by default beside KEYS.")
def main(keys: Path, bank: Path | None) -> None:
    """Make the development keys in the folder KEYS."""
    bank = bank or keys.parent / "bank"
    try:
        make_development_keys(keys, bank)
    except ConfigError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"keys and certificates are in {keys}, the bank's in {bank}")


if __name__ == "__main__":
    main()
