"""How well it went, in points, with what would have been better."""

from collections.abc import Sequence
from dataclasses import dataclass

from ivr.core.money import Money
from ivr.testing.drills.playing import Drill

MOST_NOTICE, MOST_CONTAIN, MOST_TASKS = 20, 40, 40
# Minutes after the first sign (an alert, or a look that showed it earlier) that cost nothing, and what each further one costs.
PROMPT_NOTICE, PROMPT_CONTAIN, EACH_MINUTE = 2, 4, 4
STOPPED_UNKNOWING = 20


@dataclass(frozen=True)
class Score:
    """Of 100. Minutes are from the first sign of it; None: never. `better`: what would have been, the most important first."""

    points: int
    notice: int
    contain: int
    tasks: int
    mistakes: int
    minutes_to_notice: int | None
    minutes_to_contain: int | None
    let_through: int
    lost: str
    tried: int
    turned_away: int
    better: Sequence[str]


def score_of(drill: Drill) -> Score:
    scenario, line = drill.scenario, drill.line
    to_notice, to_contain = since_sign(drill, drill.noticed_at), since_sign(drill, drill.contained_at)
    did = drill.did_knowing()  # what was done before anything could be known was luck
    notice = points(MOST_NOTICE, PROMPT_NOTICE, to_notice)
    contain = points(MOST_CONTAIN, PROMPT_CONTAIN, to_contain)
    missed = [task for task in scenario.tasks if not task.is_done(did)]
    tasks = round(MOST_TASKS * (len(scenario.tasks) - len(missed)) / len(scenario.tasks))
    made = [mistake for mistake in scenario.mistakes if mistake.is_made(did)]
    costs = sum(mistake.costs for mistake in made)
    better = []
    if drill.stopped_unknowing():
        costs += STOPPED_UNKNOWING
        better.append(
            "stop nothing before there is a sign that something is wrong: callers were turned away without a reason "
            f"({drill.turned_away_unknown} of them), which cost {STOPPED_UNKNOWING} points"
        )
    if to_notice is None:
        better.append(f"look when the telephone buzzes: `{scenario.shows[0]}`")
    elif to_notice > PROMPT_NOTICE:
        better.append(f"look sooner: {to_notice} minutes passed from the first sign of it to the first look")
    if to_contain is None and not drill.stopped_unknowing():
        better.append(f"it was never ended: `{scenario.contained_by}`")
    elif to_contain is not None and to_contain > PROMPT_CONTAIN:
        better.append(
            f"end it sooner, and look into it afterwards: `{scenario.contained_by}` came after {to_contain} minutes"
        )
    better += [mistake.words for mistake in made]
    better += [f"{task.words}: {task.why}" for task in missed]
    through = line.let_through()
    lost = Money(sum(paid.intent.amount.minor for paid in through))
    return Score(
        max(0, notice + contain + tasks - costs),
        *(notice, contain, tasks, costs, to_notice, to_contain),
        *(len(through), str(lost), len(line.attack_payments()), line.turned_away, better),
    )


def since_sign(drill: Drill, minute: int | None) -> int | None:
    return None if minute is None or drill.known_at is None else minute - drill.known_at


def points(most: int, prompt: int, minutes: int | None) -> int:
    return 0 if minutes is None else max(0, most - EACH_MINUTE * max(0, minutes - prompt))
