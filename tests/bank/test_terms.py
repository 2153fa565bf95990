"""From when until when certificates are good: to the second, so that one takes the other's place without a gap."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from ivr.bank.settings import BankSettings
from ivr.bank.terms import certificate_terms, covered_until

NEW_YEAR = datetime(2027, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
NO_END = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)  # RFC 5280 4.1.2.5
KEY = ec.generate_private_key(ec.SECP256R1())
NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "merchant")])


def certificate(first: datetime, last: datetime) -> bytes:
    builder = x509.CertificateBuilder(NAME, NAME, KEY.public_key(), 1, first, last)
    return builder.sign(KEY, hashes.SHA256()).public_bytes(Encoding.PEM)


def settings(ca: Path, *certificates: Path, not_after: date = date.max) -> BankSettings:
    listed = [SimpleNamespace(file=file, not_before=date.min, not_after=not_after) for file in certificates]
    return cast(BankSettings, SimpleNamespace(client_certificates=listed, files=lambda: {"ca": ca}))


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """The first ends with the year, the second begins with the next one, as banks write it."""
    spans = (NEW_YEAR - timedelta(days=365), NEW_YEAR - SECOND), (NEW_YEAR, NEW_YEAR + timedelta(days=365) - SECOND)
    made = tmp_path / "first.crt", tmp_path / "second.crt"
    for file, (first, last) in zip(made, spans, strict=True):
        file.write_bytes(certificate(first, last))
    return made


@pytest.mark.parametrize("what", ["client certificate", "authority"])
def test_a_certificate_that_begins_in_the_second_after_another_follows_it(
    files: tuple[Path, Path], tmp_path: Path, what: str
):
    both = tmp_path / "both.pem"
    both.write_bytes(files[0].read_bytes() + files[1].read_bytes())
    terms = [one for one in certificate_terms(settings(both, *files)) if one.what == what]
    now = NEW_YEAR - timedelta(minutes=1)
    assert covered_until(terms, now) == NEW_YEAR + timedelta(days=365)
    assert covered_until(terms[:1], now) == NEW_YEAR


def test_a_day_of_ours_that_ends_before_the_certificate_counts(files: tuple[Path, Path]):
    (term, *_) = certificate_terms(settings(files[0], files[0], not_after=date(2026, 6, 30)))
    assert term.last == datetime(2026, 7, 1, tzinfo=UTC)


def test_a_certificate_without_an_end_has_none(tmp_path: Path):
    file = tmp_path / "for-ever.crt"
    file.write_bytes(certificate(NEW_YEAR, NO_END))
    (ours, authority) = certificate_terms(settings(file, file))
    assert ours.last == authority.last == datetime.max.replace(tzinfo=UTC)
