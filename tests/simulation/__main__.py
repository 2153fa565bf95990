"""`python -m tests.simulation`: one seed with its story, or many until one fails."""

import argparse
import sys

from tests.simulation.faults import drawn, stormy
from tests.simulation.runs import run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="this one alone, line by line")
    parser.add_argument("--seeds", type=int, default=100, help="so many, from --first on")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--storm", action="store_true", help="all that goes wrong with forwarders and the bank at once")
    asked = parser.parse_args()
    draw = stormy if asked.storm else drawn
    if asked.seed is not None:
        done = run(asked.seed, keeps=True, draw=draw)
        print("\n".join(done.lines))
        print(f"seed {done.seed}: {done.untrue or 'all true'}; trace {done.digest}")
        return bool(done.untrue)
    for seed in range(asked.first, asked.first + asked.seeds):
        done = run(seed, draw=draw)
        if done.untrue:
            print(f"{done.command}{' --storm' if asked.storm else ''}   # {done.untrue}")
            return 1
    print(f"{asked.seeds} seeds: all true")
    return 0


if __name__ == "__main__":
    sys.exit(main())
