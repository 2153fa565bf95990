"""Seeds of the simulation, any faults and storms: virtual seconds to one of a processor, seeds a second, and the first seed that
is not true. `make bench-simulation`; `python benchmarks/bench_simulation.py 100000 7` runs a hundred thousand from 7 on."""

import sys
from collections import Counter

from rich.console import Console
from rich.progress import Progress

from tests.simulation.faults import drawn, stormy
from tests.simulation.runs import run

SEEDS = 1000
STORMY = 5  # one of so many seeds is a storm


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else SEEDS
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    sums: Counter[str] = Counter()
    cpu_s = busy_s = virtual_s = 0.0
    untrue = []
    with Progress(console=Console(stderr=True), transient=True) as progress:
        for seed in progress.track(range(first, first + count), description="seeds"):
            is_storm = seed % STORMY == 0
            done = run(seed, draw=stormy if is_storm else drawn)
            sums.update(calls=done.calls, charges=done.charges, events=done.events)
            cpu_s, busy_s, virtual_s = cpu_s + done.cpu_s, busy_s + done.busy_s, virtual_s + done.virtual_s
            if done.untrue:
                untrue.append(f"{done.command}{' --storm' if is_storm else ''}   # {done.untrue}")
    about = ", ".join(f"{number:,} {name}" for name, number in sums.items())
    print(f"{count:,} seeds from {first}: {about}; {cpu_s:.0f} s of a processor, {count / cpu_s:.1f} seeds a second")
    print(f"virtual seconds to one: {busy_s / cpu_s:,.0f} while things go wrong, {virtual_s / cpu_s:,.0f} in all")
    print("\n".join(untrue) or "all true")
    sys.exit(bool(untrue))


if __name__ == "__main__":
    main()
