"""What sealing and opening one card field costs: a JWE to RSA-3072 beside HPKE with X25519 and ML-KEM-768, in one run.

Rounds are interleaved, so that a machine that is busy for a while is busy for both; time is this process's own CPU.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from ivr.bank.dev_keys import make_development_keys  # noqa: E402
from ivr.bank.simulator.decryption import Bound, Decryption  # noqa: E402
from ivr.vault import HPKE, CardRules, SealContext, Vault  # noqa: E402

FORMS = {"JWE, RSA-OAEP-256 to 3072 bits": ("bank-sealing.crt", "tonetill"), HPKE: ("bank-sealing-hpke.jwk", HPKE)}
CONTEXT = SealContext("demo-merchant", "CA1", "CA1-1")
BOUND = Bound("demo-merchant", "CA1", "CA1-1")
PAN, RULES = b"4111111111111111", CardRules(frozenset({"visa"}))


@click.command()
@click.option("--rounds", default=15, show_default=True)
@click.option("--fields", default=200, show_default=True, help="Sealed in each round.")
def main(rounds: int, fields: int) -> None:
    """Microseconds of CPU for a card number, checked, sealed and wiped; for the bank to open it; bytes of the seal."""
    with tempfile.TemporaryDirectory() as folder:
        var = Path(folder)
        make_development_keys(var / "keys", var / "bank")
        vaults = {name: Vault(var / "keys" / key, bytes(32), form) for name, (key, form) in FORMS.items()}
        bank = Decryption(var / "bank" / "sealing.key")
        taken: dict[tuple[str, str], list[float]] = {(name, what): [] for name in FORMS for what in ("seal", "open")}
        for _ in range(rounds):
            for name, vault in vaults.items():
                seals = [""] * fields
                taken[name, "seal"].append(cpu_us(lambda at, v=vault, s=seals: s.__setitem__(at, seal(v)), fields))  # type: ignore[misc]
                taken[name, "open"].append(
                    cpu_us(lambda at, s=seals: bank._decrypt("card_number", s[at], BOUND), fields)
                )  # type: ignore[misc]
        table = Table("form", "seal, us CPU", "open, us CPU", "bytes")
        for name, vault in vaults.items():
            medians = (f"{statistics.median(taken[name, what]):.0f}" for what in ("seal", "open"))
            table.add_row(name, *medians, str(len(seal(vault))))
        Console().print(table)


def seal(vault: Vault) -> str:
    sealed = vault.take("card_number", bytearray(PAN), CONTEXT, RULES, datetime.now(UTC).date()).sealed
    assert sealed is not None
    return sealed


def cpu_us(work: Callable[[int], object], times: int) -> float:
    began = time.process_time()
    for at in range(times):
        work(at)
    return (time.process_time() - began) / times * 1e6


if __name__ == "__main__":
    main()
