"""Ten thousand random calls over four flows, judged by the bank's books; then the same with charges that do not look at their
bill, which must be found out. `make bench-calls`; `python benchmarks/random_calls.py 500 7` makes 500 with seed 7."""

import sys
import tempfile
import time
from pathlib import Path

import structlog
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ivr.store import Store, memory_store
from tests.street import Report, Street, Untrue, judge
from tests.test_street import BlindStore

CALLS, SEED, A_RUN = 10_000, 1, 500
TOLD = ("payment_in_progress", "due_changed", "nothing_due", "card_declined", "bank_not_reached", "apology")


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else CALLS
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else SEED
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        key = folder / "sealing.pem"
        public = rsa.generate_private_key(65537, 2048).public_key()
        key.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
        for number, at in enumerate(range(0, calls, A_RUN)):
            show(run(memory_store(), key, folder, seed + number, min(A_RUN, calls - at)), seed + number)
        try:
            run(BlindStore(memory_store()._database), key, folder, seed, A_RUN)
        except Untrue as found:
            print(f"charges that do not look at their bill: found out ({found})")
        else:
            sys.exit("charges that do not look at their bill were not found out")


def run(store: Store, key: Path, folder: Path, seed: int, calls: int) -> tuple[Report, float]:
    began = time.monotonic()
    street = Street(seed, store, key, folder / "accounts.csv")
    street.run(calls)
    return judge(street), time.monotonic() - began


def show(result: tuple[Report, float], seed: int) -> None:
    report, seconds = result
    endings = ", ".join(f"{count} {ending}" for ending, count in report.endings.most_common())
    told = ", ".join(f"{report.heard[name]} {name}" for name in TOLD)
    print(
        f"seed {seed}: {report.calls} calls, {report.bills} bills, {report.charged} charged, {report.texts} texts: all true"
    )
    print(f"  {endings}; {told}; {seconds:.0f} s")


if __name__ == "__main__":
    main()
