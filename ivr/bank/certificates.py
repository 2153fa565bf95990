"""X.509 for development: an authority that signs itself, and what it issues (RFC 5280). Files are for `dev_keys`."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
Use = Literal["authority", "server", "client", "sealing", "own sealing"]
VALID: dict[Use, timedelta] = {
    "authority": timedelta(days=3650),
    "server": timedelta(days=365),
    "client": timedelta(days=365),
    "sealing": timedelta(days=365),
    "own sealing": timedelta(days=3650),  # nobody else relies on it; it is replaced with its key
}
CLOCKS_DIFFER = timedelta(minutes=5)
SERVER_NAMES = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])


@dataclass(frozen=True)
class Issuer:
    """Who signs."""

    name: str
    key: PrivateKey


def issue(name: str, use: Use, key: PrivateKey, by: Issuer, now: datetime) -> x509.Certificate:
    """For an authority `by` is itself."""
    builder = (
        x509.CertificateBuilder(common_name(by.name), common_name(name), key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCKS_DIFFER)
        .not_valid_after(now + VALID[use])
        .add_extension(x509.BasicConstraints(ca=use == "authority", path_length=None), critical=True)
        .add_extension(key_usage(use), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.key.public_key()), critical=False)
    )
    if use == "server":
        builder = builder.add_extension(SERVER_NAMES, critical=False)
    if use in ("server", "client"):
        purpose = ExtendedKeyUsageOID.SERVER_AUTH if use == "server" else ExtendedKeyUsageOID.CLIENT_AUTH
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    return builder.sign(by.key, SHA256())


def common_name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def key_usage(use: Use) -> x509.KeyUsage:
    """RFC 5280 4.2.1.3: an authority signs certificates, TLS 1.3 signs, and a sealing key does nothing but encrypt keys."""
    return x509.KeyUsage(
        digital_signature=use in ("server", "client"),
        key_encipherment=use in ("sealing", "own sealing"),
        key_cert_sign=use == "authority",
        crl_sign=use == "authority",
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
