"""`python -m tests.simulation`: one seed with its story, or many until one fails."""

import argparse
import sys

from tests.simulation.runs import run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="this one alone, line by line")
    parser.add_argument("--seeds", type=int, default=100, help="so many, from --first on")
    parser.add_argument("--first", type=int, default=0)
    asked = parser.parse_args()
    if asked.seed is not None:
        done = run(asked.seed, keeps=True)
        print("\n".join(done.lines))
        print(f"seed {done.seed}: {done.untrue or 'all true'}; trace {done.digest}")
        return bool(done.untrue)
    for seed in range(asked.first, asked.first + asked.seeds):
        done = run(seed)
        if done.untrue:
            print(f"{done.command}   # {done.untrue}")
            return 1
    print(f"{asked.seeds} seeds: all true")
    return 0


if __name__ == "__main__":
    sys.exit(main())
