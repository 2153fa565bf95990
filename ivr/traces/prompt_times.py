"""How long callers take at each prompt, and how often they are asked the same again, out of the sums of `store.call_search`."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from ivr.store import PromptTime


@dataclass(frozen=True)
class PromptRow:
    """`prompt`: the last one that was said, a question as a rule. `mean_s`: until something came, what was said before it
    included. `again`: how often the next that was said ended in the same prompt, at the same step."""

    step: str
    prompt: str
    times: int
    mean_s: float
    total_s: float
    again: int

    @property
    def of_those(self) -> str:
        return f"{self.again / self.times:.0%}"


def prompt_rows(sums: Iterable[PromptTime]) -> list[PromptRow]:
    """Where callers spend the most time first."""
    times, total_ms, again = Counter[tuple[str, str]](), Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for one in sums:
        prompt = last_of(one.said)
        if not prompt:
            continue  # nothing was said: the line was held
        key = one.step, prompt
        times[key] += one.times
        total_ms[key] += one.total_ms
        again[key] += one.times if last_of(one.next_said) == prompt else 0
    rows = [
        PromptRow(
            step=step.replace("_", " ") or "before the first step",
            prompt=prompt.replace("_", " "),
            times=count,
            mean_s=total_ms[step, prompt] / count / 1000,
            total_s=total_ms[step, prompt] / 1000,
            again=again[step, prompt],
        )
        for (step, prompt), count in times.items()
    ]
    return sorted(rows, key=lambda row: (-row.total_s, row.step, row.prompt))


def last_of(said: str) -> str:
    return said.rpartition(" ")[2]
