"""What looks for a mistake, the cheapest first: one run of pytest in the copy of the tree, which ends at the first test that fails."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.patches import Mutant, applied

# With -v each test is named when it begins, and again with its outcome after it.
STARTED = re.compile(r"^(tests/\S+?::\w+)", re.MULTILINE)
FAILED = re.compile(r"^(?:FAILED|ERROR) (tests/\S+?)(?:\[.*)?(?: - .*)?$", re.MULTILINE)
UNIT = "unit test"
BROKEN_OFF = 124  # as `timeout` says it
# Of pytest: some test failed; a collection that broke is found as well, for nothing could be imported.
FOUND = frozenset({1, 2})
MOST_S = 1800.0
SQLITE = (
    "-k",
    "not postgresql",
)  # finders take as long on each database, and what only PostgreSQL can do stands in unit tests
_running: set[subprocess.Popen[bytes]] = set()


@dataclass(frozen=True)
class Finder:
    """`tests`: for pytest, which keeps their order."""

    name: str
    tests: tuple[str, ...]

    @property
    def files(self) -> frozenset[str]:
        return frozenset(one.partition("::")[0] for one in self.tests)


FINDERS = (
    Finder(
        "double entry",
        (
            "tests/store/test_double_entry.py::test_so_they_are_on_both_databases_and_after_each_step",
            "tests/store/test_double_entry.py::test_so_they_are_in_lives_that_have_found_a_mistake",
            "tests/store/test_double_entry.py::test_whatever_happens_to_charges_the_books_are_true",
        ),
    ),
    Finder("doubled webhooks", ("tests/test_doubled.py",)),
    Finder(
        "promises",
        (
            "tests/forwarder/test_states.py",
            "tests/forwarder/test_promises.py::test_a_lost_answer_is_found_by_what_is_promised",
            "tests/forwarder/test_promises.py::test_a_repeated_request_that_does_not_leave_says_nothing_of_the_first",
        ),
    ),
    Finder("street", ("tests/test_street.py::test_every_bill_ending_promise_and_text_is_true",)),
    Finder(
        "simulation",
        (
            "tests/test_simulation.py::test_a_storm_that_has_found_a_mistake_is_true",
            "tests/test_simulation.py::test_every_storm_is_true",
            "tests/test_simulation.py::test_every_seed_is_true",
        ),
    ),
    Finder(
        "kill",
        (
            "tests/test_kill.py::test_wherever_a_process_dies_the_books_agree_and_the_caller_knows",
            "tests/test_kill.py::test_whatever_the_bank_promises_a_dead_forwarder_costs_nobody_anything",
        ),
    ),
)
BY_NAME = {one.name: one for one in FINDERS}


@dataclass(frozen=True)
class Found:
    """`finder`: "" for a mutant that nothing has found; `test`: which of its tests. `seconds`: until then."""

    mutant: Mutant
    finder: str
    test: str
    seconds: float


def find(
    mutant: Mutant, tree: Path, finders: Sequence[Finder], most_s: float = MOST_S, *, in_order: bool = False
) -> Found:
    """With the mutant in the tree. The finder that its patch names is asked first, unless `in_order`. After `most_s` the test that is
    under way is taken for the one that finds it: a mistake may be that something never ends. PatchFailed as `applied`."""
    began = time.monotonic()
    finders = finders if in_order else sorted(finders, key=lambda one: one.name != mutant.finder)
    runs = [(finders, SQLITE), ([Finder(UNIT, mutant.unit)], [])] if mutant.unit else [(finders, SQLITE)]
    if mutant.finder == UNIT and not in_order:
        runs.reverse()
    test = ""
    with applied(mutant, tree):
        for asked, only in runs:
            if test := first_failure([test for one in asked for test in one.tests], only, tree, most_s):
                break
    return Found(mutant, finder_of(test), test.rpartition("::")[2], time.monotonic() - began)


def finder_of(test: str) -> str:
    file = test.partition("::")[0]
    return next((one.name for one in FINDERS if file in one.files), UNIT if test else "")


def first_failure(tests: Sequence[str], only: Sequence[str], tree: Path, most_s: float) -> str:
    """The test, by file and name; "" where all pass. `only`: which of them."""
    pytest = [sys.executable, "-m", "pytest", "-v", "-x", "-p", "no:xdist", "--tb=no", "-rfE", "-m", "not long", *only]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    code, told = run_within(most_s, [*pytest, *tests], tree, environment | {"PYTHONPATH": str(tree)})
    if code == 0:
        return ""
    if code == BROKEN_OFF:
        return (STARTED.findall(told) or ["nothing was begun"])[-1]
    failed = FAILED.search(told)
    if code not in FOUND or failed is None:
        raise RuntimeError(f"pytest ended with {code}: {told[-2000:]}")
    return failed.group(1)


def stop() -> None:
    """All that is asked at this moment, and what they have started."""
    for process in tuple(_running):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def run_within(most_s: float, command: list[str], tree: Path, environment: dict[str, str]) -> tuple[int, str]:
    """The code, BROKEN_OFF after `most_s`, and what was said. All that it has started ends with it."""
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            command, cwd=tree, env=environment, stdout=said, stderr=subprocess.STDOUT, start_new_session=True
        )
        _running.add(process)
        try:
            code = process.wait(most_s)
        except subprocess.TimeoutExpired:
            code = BROKEN_OFF
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            _running.discard(process)
        said.seek(0)
        return code, said.read().decode(errors="replace")
