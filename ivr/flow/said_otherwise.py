"""What a flow's prompts say otherwise than this flow does: other money, another rhythm, a bill without its key, or that nothing is
charged where a part stays paid; an agreement's words for another sum, time or number of parts, or for a charge; and the amount of
one thing with the number of another.

What a prompt must say whatever flow it is said in is in `words.consent`.
"""

from collections.abc import Iterator, Mapping

from ivr.flow.consenting import AGREED
from ivr.flow.parts import Facts, Said
from ivr.flow.prompts import needed_prompts
from ivr.flow.schema import FlowHead
from ivr.flow.splitting import PART
from ivr.flow.step import Step
from ivr.reading.problems import Problem
from ivr.reading.rules import spoken_charges as rules
from ivr.reading.rules.prompts import OTHER_KEY
from ivr.reading.yaml_source import Source
from ivr.words.consent import AGREEMENTS, agreement_faults, faults
from ivr.words.keys_said import keys_said, prose
from ivr.words.money_words import other_money
from ivr.words.outcome_words import OUTCOME_PROMPTS, against_the_way, nothing_charged
from ivr.words.prompt_files import PromptFile, PromptFiles
from ivr.words.rhythm_words import other_rhythm, says_rhythm
from ivr.words.slots import WORD_PROMPTS
from ivr.words.term_words import other_days, other_parts
from ivr.words.wordings import FEE, FLOW, meant_for

_NUMBERS = frozenset({"number", "confirmation_number"})
_CHARGED = frozenset({"paid", "reserved"})


def said_otherwise(
    source: Source,
    head: FlowHead | None,
    steps: Mapping[str, Step],
    reached: Mapping[str, set[Facts]],
    prompts: PromptFiles,
) -> Iterator[Problem]:
    """Nothing where the flow does not say its languages or its currency so that they can be read."""
    if head is None:
        return
    keeping = set(_stops_in_part(head, steps, reached))
    for language in head.languages:
        file = prompts.get(language)
        if file is None or not file.is_readable:
            continue
        yield from _money_problems(head, steps, file)
        for name, step in steps.items():
            for said in step.says():
                for wording in said_by(head.flow, said.prompt, steps, file):
                    yield from _step_problems(source, name, said, wording, file)
                    yield from _agreement_problems(said, wording, file)
                    yield from _mixture_problems(source, name, said, wording, file, reached.get(name, set()))
                    yield from _outcome_problems(source, name, step, said, wording, file, reached.get(name, set()))
                    if (name, said) in keeping:
                        yield from _part_problems(source, name, said, wording, file)


def said_by(flow: str, prompt: str, steps: Mapping[str, Step], file: PromptFile) -> Iterator[str]:
    """The wordings of the prompt that this flow may say: none that is for another flow, or for a step that it does not have."""
    own = flow.replace("-", "_")
    wordings = file.wordings(prompt)
    for wording in wordings:
        of_flow, step, _ = meant_for(wording, prompt) if wording != prompt else ("", "", "")
        # The flow's own goes before all others but those that say a fee (`words.wordings`).
        is_replaced = not of_flow and not wording.endswith(FEE) and f"{prompt}{FLOW}{own}" in wordings
        if (
            not is_replaced
            and of_flow in ("", own)
            and (not step or step in steps)
            and not file.templates[wording].faults
        ):
            yield wording


def _money_problems(head: FlowHead, steps: Mapping[str, Step], file: PromptFile) -> Iterator[Problem]:
    currency = head.limits.max_amount.currency
    for prompt in sorted(needed_prompts(steps) - WORD_PROMPTS.keys()):
        for wording in said_by(head.flow, prompt, steps, file):
            if money := other_money(file.templates[wording], currency, file.language):
                message = f"prompt '{wording}' says '{money}', and flow '{head.flow}' takes {currency}"
                own = f"{prompt}{FLOW}{head.flow.replace('-', '_')}"
                cure = f"say it in {currency}; where another flow says it too, write a '{own}'"
                yield file.problem(rules.OTHER_MONEY, wording, message, cure)


def _step_problems(source: Source, name: str, said: Said, wording: str, file: PromptFile) -> Iterator[Problem]:
    template, path = file.templates[wording], ("steps", name, *said.path)
    if said.every and (rhythm := other_rhythm(template, said.every, file.language)):
        message = f"prompt '{wording}' says '{rhythm}' in {file.language}, and this step has 'every: {said.every}'"
        yield source.problem(rules.OTHER_RHYTHM, path, message, f"say it by the {said.every}, or change 'every'")
    elif said.every and not says_rhythm(template, file.language):
        message = (
            f"prompt '{wording}' does not say how often in {file.language}, and this step has 'every: {said.every}'"
        )
        yield source.problem(rules.OTHER_RHYTHM, path, message, f"say that it is by the {said.every}")
    if said.within and (days := other_days(template, said.within, file.language)):
        message = f"prompt '{wording}' says '{days}' in {file.language}, and this step has 'within: {said.within}d'"
        yield source.problem(rules.OTHER_AGREEMENT, path, message, "say {by:date} alone, or change 'within'")
    if said.instalments and (parts := other_parts(template, said.instalments, file.language, said.every)):
        message = (
            f"prompt '{wording}' says '{parts}' in {file.language}, and this step has 'instalments: {said.instalments}'"
        )
        yield source.problem(rules.OTHER_AGREEMENT, path, message, "say {instalments:number}, or change 'instalments'")
    if not said.offers_each:
        return
    keys = sorted(one.key for one in keys_said(prose(template), file.language) if one.key)
    if keys:
        message = f"prompt '{wording}' says key {keys[0]} in {file.language}, but each bill has a key of its own"
        yield source.problem(OTHER_KEY, path, message, "write {key:key} in place of it")
    elif "key" not in {slot.name for slot in template.slots}:
        message = f"prompt '{wording}' offers a bill without its key in {file.language}"
        yield source.problem(rules.OFFER_WITHOUT_KEY, path, message, "say {key:key} in it")


def _agreement_problems(said: Said, wording: str, file: PromptFile) -> Iterator[Problem]:
    """Of an agreement whose name is the flow's own: what `words.consent` asks of the prompt that it is one of, and has not asked of
    it in its file, where nobody knows what it is."""
    if not said.held_as or said.prompt in AGREEMENTS:
        return
    template, language = file.templates[wording], file.language
    told = faults(wording, template, language, said.prompt)
    found = [
        *faults(wording, template, language, said.held_as),
        *agreement_faults(wording, template, language, said.held_as),
    ]
    for fault in dict.fromkeys(found):
        if fault not in told:
            yield file.problem(fault.rule, wording, fault.message, fault.suggestion)


def _mixture_problems(
    source: Source, name: str, said: Said, wording: str, file: PromptFile, reached: set[Facts]
) -> Iterator[Problem]:
    """After a charge {amount} is what was charged, until another is agreed to or chosen; {number} stays the charge's."""
    spoken = {slot.name for slot in file.templates[wording].slots} - said.fills
    if "amount" not in spoken or not _NUMBERS & spoken:
        return
    since = {"agreed to": AGREED, "chosen": "amount"}
    charged = [facts for facts in reached if _CHARGED & facts and "unread" not in facts]
    became = next((what for what, fact in since.items() if any(fact in facts for facts in charged)), "")
    if became:
        message = f"prompt '{wording}' says the number of a charge and '{{amount}}', which on a way to '{name}' was {became} since"
        cure = "say the charge before that, or say one of the two"
        yield source.problem(rules.NUMBER_OF_ANOTHER, ("steps", name, *said.path), message, cure)


def _outcome_problems(
    source: Source, name: str, step: Step, said: Said, wording: str, file: PromptFile, reached: set[Facts]
) -> Iterator[Problem]:
    """The flow's own words at a step that only says something: after a charge on every way, or at an unpaid end that no charge leads to.
    What the engine says by its ledger is in `words.consent`."""
    if said.path != ("say",) or said.prompt in OUTCOME_PROMPTS or not reached:
        return
    is_charged = all("paid" in facts for facts in reached)
    is_unpaid = step.ending == "unpaid" and not any(_CHARGED & facts for facts in reached)
    if not (is_charged or is_unpaid):
        return
    text = prose(file.templates[wording])
    if untrue := against_the_way(text, file.language, is_charged=is_charged):
        what = "a charge was approved on every way there" if is_charged else "nothing was charged on any way there"
        message = f"prompt '{wording}' says '{untrue}', and it is said at '{name}', where {what}"
        yield source.problem(rules.OTHER_OUTCOME, ("steps", name, *said.path), message, "say what became of the money")


def _stops_in_part(
    head: FlowHead, steps: Mapping[str, Step], reached: Mapping[str, set[Facts]]
) -> Iterator[tuple[str, Said]]:
    """The keys by which a call can end with a part of a bill paid that stays paid."""
    if head.split is None or head.split.rest_unpaid != "keep":
        return
    for name, every_way in reached.items():
        if not any(PART in facts for facts in every_way):
            continue
        targets = {outcome: target for _, outcome, target in steps[name].targets()}
        for said in steps[name].says():
            target = targets.get(f"key_{said.key}") if said.key else None
            if target is not None and _ends_untaken(target, steps):
                yield name, said


def _ends_untaken(start: str, steps: Mapping[str, Step]) -> bool:
    """Whether a call can end from there on without a step that takes the parts back."""
    waiting, seen = [start], set[str]()
    while waiting:
        name = waiting.pop()
        if name in seen or name not in steps or steps[name].takes_parts_back:
            continue
        seen.add(name)
        if steps[name].ends_by():
            return True
        waiting += [target for _, _, target in steps[name].targets()]
    return False


def _part_problems(source: Source, name: str, said: Said, wording: str, file: PromptFile) -> Iterator[Problem]:
    if untrue := nothing_charged(prose(file.templates[wording]), file.language):
        message = f"prompt '{wording}' says '{untrue}' in {file.language}, but a part that was paid by then stays paid"
        cure = "say so, as in 'stop_paying_keep', or let this key lead to a 'take_back' step"
        yield source.problem(rules.OTHER_OUTCOME, ("steps", name, *said.path), message, cure)
