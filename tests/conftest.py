"""Fixtures that whole-call tests share."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.benches import Bench, make_bench


@pytest.fixture(scope="session")
def sealing_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bank's public key whose private half is forgotten at once: what is sealed here stays sealed."""
    file = tmp_path_factory.mktemp("bank") / "sealing.pem"
    public = rsa.generate_private_key(65537, 2048).public_key()
    file.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return file


@pytest.fixture
def bench(sealing_key: Path) -> Bench:
    return make_bench(sealing_key)
