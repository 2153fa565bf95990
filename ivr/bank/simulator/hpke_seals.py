"""Opens what was sealed by HPKE with the bank's private key (docs/bank.md); no code of the vault's opens a seal here."""

import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PrivateKey, Suite

from ivr.bank.hpke_pair import ALGORITHM, halves, unb64

SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


class HpkeKey:
    """One private key of the bank's. ValueError, KeyError or TypeError where the JWK is none."""

    def __init__(self, jwk: dict[str, Any]) -> None:
        if (jwk["kty"], jwk["alg"]) != ("AKP", ALGORITHM):
            raise ValueError("another kind of key")
        mlkem, x25519 = halves(unb64(str(jwk["priv"])))
        self._key = MLKEM768X25519PrivateKey(mlkem, x25519)
        self.kid = str(jwk["kid"])

    def open(self, compact: str) -> tuple[dict[str, Any], bytes]:
        """Header and clear text. It raises where anything was changed, or where a header asks for what is not known here."""
        header, encapsulated, content = compact.split(".")
        clear = SUITE.decrypt(unb64(encapsulated) + unb64(content), self._key, header.encode())
        said: dict[str, Any] = json.loads(unb64(header))
        if said["alg"] != ALGORITHM or said.get("crit") != ["tonetill"]:
            raise ValueError("not the agreed form")
        return said, clear


def kid_of(compact: str) -> str:
    return str(json.loads(unb64(compact.partition(".")[0])).get("kid"))


def is_hpke(compact: str) -> bool:
    return compact.count(".") == 2  # a JWE has five parts


def read_hpke_keys(folder: Path) -> dict[str, HpkeKey]:
    """By kid: every `sealing*.jwk` of the folder."""
    keys = [HpkeKey(json.loads(file.read_bytes())) for file in sorted(folder.glob("sealing*.jwk"))]
    return {key.kid: key for key in keys}
