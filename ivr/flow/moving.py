"""May a call that is under way go on with another version of its flow? Only from a place that means the same in both.

A call stays where it is while anything is half done that was begun under its own version's rules: a card that has been
keyed in, a charge, an answer that is being confirmed or looked up. It is asked again at its next event.
"""

from ivr.core.call import Call
from ivr.flow.compiled import Flow
from ivr.flow.known import known_values
from ivr.flow.paths import ways_to_steps


def why_it_stays(call: Call, old: Flow, new: Flow) -> str:
    """In words for a person, with no value of the call's; empty where it may go on with `new`."""
    if call.phase == "over":
        return "it is over"
    if call.phase == "language" or not call.step:
        return "" if old.head.languages == new.head.languages else "its caller is choosing among other languages"
    if call.step not in new.steps:
        return f"there is no step '{call.step}' any more"
    if type(old.steps.get(call.step)) is not type(new.steps[call.step]):
        return f"'{call.step}' is another kind of step by now"
    if call.language not in new.head.languages:
        return f"{call.language} is not spoken any more"
    return _why_not_now(call) or _why_not_with(call, old, new)


def _why_not_now(call: Call) -> str:
    if call.unsettled:
        return "its charge has no answer yet"
    if call.has_unsent_card:
        return "its card is being taken"
    is_whole = call.phase == "entry" and not call.notes
    return "" if is_whole else f"an answer at '{call.step}' is not complete"


def _why_not_with(call: Call, old: Flow, new: Flow) -> str:
    """What the new version's checks take for granted at this step must be so, and what it forgets must be all there is."""
    if old.head.limits.max_amount.currency != new.head.limits.max_amount.currency:
        return "amounts are in another currency by now"
    if (old.answers & call.values.keys()) - new.answers:
        return "it has an answer to a question that is not asked any more"
    counted_on = _sure_at(call.step, new) - _sure_at(call.step, old)
    return f"'{call.step}' counts on what this call has not been asked: {', '.join(sorted(counted_on))}" * bool(
        counted_on
    )


def _sure_at(step: str, flow: Flow) -> frozenset[str]:
    """The values that prompts may say there, and the facts that hold there, on every way to it."""
    known = known_values(flow.head.start, flow.steps).get(step) or frozenset()
    facts = ways_to_steps(flow.head.start, flow.steps).get(step)
    return known.union(frozenset.intersection(*facts) if facts else ())
