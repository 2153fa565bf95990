"""Seconds from the answer to the goodbye in the sample flow, by prompt, beside what they once were and what is aimed at.

Exit code 1 where a call takes longer than the aim: a prompt that grows is noticed. Nothing is played; see `ivr.testing.seconds`
for what is assumed of keys and bank.
"""

import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ivr.cli.timing import Timing, time_flow
from ivr.logs import set_up_logging
from ivr.testing.seconds import EXPERT, FIRST_TIME

FLOW = Path(__file__).resolve().parent.parent / "flows" / "pay-a-bill.yaml"
AIM_S = {FIRST_TIME.name: 60.0, EXPERT.name: 30.0}
# The aims are of confirmation numbers of six digits; ours have nine. Spanish has more syllables for the same.
ALLOWED_S = {"en-US": 1.0, "es-MX": 2.0}
# The sample with its first words and endings, by the same measure.
BEFORE_S = {
    "en-US": {FIRST_TIME.name: 98.3, EXPERT.name: 47.5},
    "es-MX": {FIRST_TIME.name: 110.3, EXPERT.name: 53.4},
}


def main() -> int:
    set_up_logging("error", "text")
    console = Console(highlight=False)
    timings = [time_flow(FLOW, language=language) for language in ALLOWED_S]
    for timing in timings:
        console.print(timing.as_table())
    console.print(summary(timings))
    if any(timing.voice != "espeak" for timing in timings):
        console.print("another voice than the aims are for: nothing is compared")
        return 0
    return 1 if any(is_late(timing, caller) for timing in timings for caller in AIM_S) else 0


def is_late(timing: Timing, caller: str) -> bool:
    return round(timing.total_s(caller), 1) > AIM_S[caller] + ALLOWED_S[timing.language]


def summary(timings: list[Timing]) -> Table:
    table = Table("language", "caller", "before", "now", "aim", "", title="seconds from answer to goodbye")
    for timing in timings:
        for caller, aim in AIM_S.items():
            before, now = BEFORE_S[timing.language][caller], timing.total_s(caller)
            late = "late" if is_late(timing, caller) else ""
            table.add_row(timing.language, caller, f"{before:.1f}", f"{now:.1f}", f"{aim:.0f}", late)
    return table


if __name__ == "__main__":
    sys.exit(main())
