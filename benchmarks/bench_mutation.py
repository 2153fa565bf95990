"""Every small change that mutmut knows, made to the core of the money code one at a time: how many does a test notice? `make bench-mutation`.

The mistakes of `make bench-mutants` are such as people make; these are mechanical (`<` for `<=`, 1 for 0, an argument left out) and all of
them. Each part is changed in a copy of the tree and asked of its own tests alone. The words of errors are left as they are. It
takes long: `--only money` for one part; `--keep FOLDER` keeps the copy, in which `mutmut show NAME` says what was changed.
`docs/testing.md` states the scores and why the changes that nothing notices are none that matter.
"""

import argparse
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.mutants.patches import copy_tree

# A call that raises, the words of the refusals of amounts, and how a key's file is named in them.
WORDS = [
    r"raise (ValueError|TypeError|ConfigError|AssertionError|NumbersUsedUp|StaleCall|NoCard|LostRace)\(",
    r'^ +return "(an amount|expected)',
]
NOTICED = frozenset({"killed", "timeout", "suspicious", "segfault"})


@dataclass(frozen=True)
class Part:
    """`modules`: what is changed; `tests`: what is asked."""

    modules: tuple[str, ...]
    tests: tuple[str, ...]


def of_store(modules: Sequence[str], *tests: str, more: Sequence[str] = ()) -> Part:
    """`tests`: of the store; `more`: others, as paths."""
    own = tuple(f"tests/store/test_{name}.py" for name in tests)
    return Part(tuple(f"ivr/store/{name}.py" for name in modules), (*own, *more))


PARTS: Mapping[str, Part] = {
    "money": Part(
        tuple(f"ivr/core/{name}.py" for name in ("money", "card_fees", "one_sum", "confirmation")),
        (
            "tests/cases",
            *(f"tests/core/test_{name}.py" for name in ("money_and_call", "card_fees", "one_sum", "confirmation")),
        ),
    ),
    "vault": Part(
        tuple(f"ivr/vault/{name}.py" for name in ("secret", "card", "intake", "key_ring", "seal")),
        (
            *("tests/cases", "tests/bank/test_binding.py"),
            *(f"tests/vault/test_{name}.py" for name in ("card", "dated_cards", "intake", "key_ring", "postal_codes")),
            *(f"tests/vault/test_{name}.py" for name in ("seal", "sealing_key", "secret")),
        ),
    ),
    "forms": Part(
        tuple(f"ivr/vault/{name}.py" for name in ("adyen", "forms", "hpke")),
        (
            *("tests/bank/adyen/test_client.py", "tests/bank/test_binding.py"),
            *(f"tests/vault/test_{name}.py" for name in ("adyen_key", "hpke", "key_ring", "seal", "sealing_key")),
        ),
    ),
    "postings": of_store(
        ["postings", "entries", "transfers"],
        *("postings", "reservations", "splits", "card_fees", "one_sum", "modifications", "double_entry"),
    ),
    "ledger": of_store(
        ["ledger"],
        *("ledger", "ledger_answers", "payable", "one_sum", "splits", "reservations"),
        *("card_fees", "kept_cards", "double_entry"),
    ),
    "intents": of_store(
        ["intents"],
        *("intents", "ledger", "ledger_answers", "payable", "one_sum", "splits", "reservations", "modifications"),
        *("card_fees", "kept_cards"),
    ),
    "jobs": of_store(
        ["outbox", "sealed", "dues", "following", "limits"],
        *("outbox", "new_jobs", "ledger", "ledger_answers", "payable", "one_sum", "splits", "reservations"),
        *("card_fees", "kept_cards", "modifications", "intents", "told_of_parts", "agreements", "jobs_and_cards"),
        more=("tests/forwarder/test_queues.py", "tests/forwarder/test_results_again.py"),
    ),
    "splits": of_store(["splits"], "splits", "told_of_parts", "ledger_answers", "double_entry"),
    "modifications": of_store(
        ["modifications", "modification_rows", "reservations"],
        *("modifications", "modification_steps", "bank_news", "reservations", "splits", "card_fees", "one_sum"),
        *("postings", "ledger_answers", "told_of_parts"),
    ),
    "bank_news": of_store(
        ["bank_news"],
        *("bank_news", "modifications", "modification_steps", "reservations", "splits", "told_of_parts", "kept_cards"),
    ),
}
SETTINGS = """
[tool.mutmut]
source_paths = ["ivr"]
only_mutate = {modules}
also_copy = ["dsp", "flows", "config", "migrations", "app.py", "alembic.ini", "conftest.py"]
pytest_add_cli_args = ["-p", "no:xdist", "-m", "not long", "-k", "not postgresql"]
pytest_add_cli_args_test_selection = {tests}
do_not_mutate_patterns = {words}
# A machine with other work may take its time.
timeout_multiplier = 200.0
timeout_constant = 30.0
track_dependencies = false
use_git_change_detection = false
"""


def main() -> None:
    wanted = read_arguments()
    told: dict[str, str] = {}
    for name in wanted.only or PARTS:
        if wanted.keep is None:
            with tempfile.TemporaryDirectory(prefix="tonetill-mutation-") as folder:
                told |= run_part(PARTS[name], Path(folder), wanted.workers)
        else:
            told |= run_part(PARTS[name], wanted.keep / name, wanted.workers)
    show(told)


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--only", action="append", default=[], choices=list(PARTS), help="this part; may be given several times"
    )
    parser.add_argument(
        "--keep", type=Path, help="a folder for the copies of the tree, which stay; begun again it goes on"
    )
    parser.add_argument("--workers", type=int, default=2)
    return parser.parse_args()


def run_part(part: Part, folder: Path, workers: int) -> dict[str, str]:
    """What became of each change, by its name. mutmut shows its own progress."""
    folder.mkdir(parents=True, exist_ok=True)
    copy_tree(folder)
    settings = SETTINGS.format(modules=quoted(part.modules), tests=quoted(part.tests), words=quoted(WORDS))
    (folder / "pyproject.toml").write_text((folder / "pyproject.toml").read_text() + settings)
    mutmut = Path(sys.executable).with_name("mutmut")
    if not mutmut.exists():
        sys.exit("mutmut is not installed: `make bench-mutation` does that")
    subprocess.run([mutmut, "run", "--max-children", str(workers)], cwd=folder, check=True, stdout=sys.stderr)
    results = subprocess.run(
        [mutmut, "results", "--all", "true"], cwd=folder, check=True, capture_output=True, text=True
    )
    pairs = (line.strip().rpartition(": ") for line in results.stdout.splitlines() if "__mutmut_" in line)
    return {name: became for name, _, became in pairs}


def quoted(words: Sequence[str]) -> str:
    """As TOML has a list of texts in which nothing is escaped."""
    return "[" + ", ".join(f"'{word}'" for word in words) + "]"


def show(told: Mapping[str, str]) -> None:
    table = Table("module", "changes", "noticed", "survived", "no test", "score", title="What tests notice")
    modules = {name: name.partition(".x")[0] for name in told}
    for module in [*sorted({*modules.values()}), "all"]:
        became = Counter(told[name] for name in told if module in (modules[name], "all"))
        noticed = sum(became[one] for one in NOTICED)
        score = f"{100 * noticed / became.total():.1f} %" if became else "-"
        numbers = became.total(), noticed, became["survived"], became["no tests"]
        table.add_row(module, *map(str, numbers), score)
    console = Console(width=150)
    console.print(table)
    for name, became in sorted(told.items()):
        if became not in NOTICED:
            console.print(f"{became}: {name}", highlight=False)


if __name__ == "__main__":
    main()
