"""Fixtures that whole-call tests share."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, settings

from tests.benches import Bench, make_bench

# One profile for all properties: how long an example takes says something of the machine, nothing of the code.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


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
