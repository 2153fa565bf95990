"""Keys of a stand-in for Adyen: what only Adyen has, and what a merchant is given."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import jwe
from joserfc.jwk import RSAKey
from joserfc.registry import HeaderParameter

from ivr.bank.dev_keys import private_pem

API_KEY = "AQEstandin0123456789"
HMAC_KEY = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056"
MERCHANT_ACCOUNT = "TonetillTestMOTO"
REGISTRY = jwe.JWERegistry(
    header_registry={"version": HeaderParameter("of the form", "str")}, algorithms=["RSA-OAEP-256", "A256GCM"]
)


def make_keys(folder: Path) -> None:
    """`adyen-private.pem` is Adyen's alone; `adyen-public.txt` is what its Customer Area shows."""
    private = rsa.generate_private_key(65537, 2048)
    (folder / "adyen-private.pem").write_bytes(private_pem(private))
    numbers = private.public_key().public_numbers()
    (folder / "adyen-public.txt").write_text(f"{numbers.e:x}|{numbers.n:X}\n")


@dataclass(frozen=True)
class Opener:
    """Opens seals with the private key, by a library that nobody here wrote."""

    file: Path

    @cached_property
    def key(self) -> RSAKey:
        """Read once: OpenSSL examines a private key for 50 ms."""
        return RSAKey.import_key(self.file.read_bytes())

    def open(self, sealed: str) -> dict[str, str]:
        found = jwe.decrypt_compact(sealed, self.key, registry=REGISTRY)
        assert found.protected == {"alg": "RSA-OAEP-256", "enc": "A256GCM", "version": "1"}
        return json.loads(found.plaintext or b"")
