"""What a flow remembers of callers, as the checks see it: it is asked for, it is of use, and it is said what is kept."""

from collections.abc import Iterator, Mapping

from ivr.flow.endings import UnreadStep
from ivr.flow.said_otherwise import said_by
from ivr.flow.schema import FlowHead
from ivr.flow.step import Step
from ivr.flow.talk.values import names
from ivr.reading.problems import Problem
from ivr.reading.rules import advice
from ivr.reading.rules import remembering as rules
from ivr.reading.yaml_source import Source
from ivr.words.keys_said import prose
from ivr.words.prompt_files import PromptFiles
from ivr.words.remembering_words import names_language

VALUE = "remembered"
ASK_FOR_IT = "add a step: 'remember: remember_me', 'keeps: [{what}]'"


def remembering_problems(
    source: Source, head: FlowHead | None, steps: Mapping[str, Step], prompts: PromptFiles | None
) -> Iterator[Problem]:
    """Of a flow with steps that cannot be read nobody knows what it remembers."""
    if head is None or any(isinstance(step, UnreadStep) for step in steps.values()):
        return
    keeps = frozenset[str]().union(*(step.remembers for step in steps.values()))
    for name, step in steps.items():
        yield from _not_asked(source, name, step, keeps)
        yield from _offers(source, head, name, step, steps)
        yield from _for_nothing(source, head, name, step, steps)
        if prompts is not None and "language" in step.remembers:
            yield from _not_said(source, head, name, step, steps, prompts)


def _not_asked(source: Source, name: str, step: Step, keeps: frozenset[str]) -> Iterator[Problem]:
    if step.offers_remembered and "account" not in keeps:
        message = "no caller of this flow is asked whether their account may be remembered"
        yield source.problem(rules.NOT_ASKED, ("steps", name, "remembered"), message, ASK_FOR_IT.format(what="account"))
    for formula in step.formulas() if not keeps else ():
        if VALUE in names(formula.text):
            message = "'remembered' is always no: no caller of this flow is asked whether they may be remembered"
            path = ("steps", name, *formula.path)
            yield source.problem(rules.NOT_ASKED, path, message, ASK_FOR_IT.format(what="language"))


def _offers(source: Source, head: FlowHead, name: str, step: Step, steps: Mapping[str, Step]) -> Iterator[Problem]:
    if not step.offers_remembered:
        return
    first = next(one.answer for one in steps.values() if one.offers_remembered)
    if step.answer != first:
        message = f"one account is remembered of a caller, and that is offered as '{first}' already"
        yield source.problem(rules.FOR_NOTHING, ("steps", name, "remembered"), message, "leave it out here")
        return
    declared = [terms.takes for terms in head.lookups.values() if terms.takes]
    if not any(takes[0] == step.answer for takes in declared) and not (step.looks_up_bills and not step.counts_guesses):
        message = f"'{step.answer}' is not what a bill is known by: it is never remembered"
        cure = "offer the first answer that the look-up takes"
        yield source.problem(rules.FOR_NOTHING, ("steps", name, "remembered"), message, cure)
    elif not any(len(takes) > 1 and takes[0] == step.answer for takes in declared):
        message = f"a caller's number can be forged, and who rings from it hears what is due without keying in '{step.answer}'"
        cure = "let the look-up take a second answer, such as a PIN: 'takes: [account_number, pin]'"
        yield source.problem(advice.OFFERED_BY_NUMBER, ("steps", name, "remembered"), message, cure)


def _for_nothing(source: Source, head: FlowHead, name: str, step: Step, steps: Mapping[str, Step]) -> Iterator[Problem]:
    path = ("steps", name, "keeps")
    if "account" in step.remembers and not any(one.offers_remembered for one in steps.values()):
        message = "the account is kept for the next call, and no step offers it there"
        cure = "write 'remembered: offer' where it is asked for, or leave 'account' out"
        yield source.problem(rules.FOR_NOTHING, path, message, cure)
    if "language" in step.remembers and len(head.languages) == 1:
        message = "the language is kept for the next call, and this flow speaks one only"
        yield source.problem(rules.FOR_NOTHING, path, message, "leave 'language' out")


def _not_said(
    source: Source, head: FlowHead, name: str, step: Step, steps: Mapping[str, Step], prompts: PromptFiles
) -> Iterator[Problem]:
    for file in (prompts[one] for one in head.languages if one in prompts and prompts[one].is_readable):
        for said in step.says():
            for wording in said_by(head.flow, said.prompt, steps, file):
                if not names_language(prose(file.templates[wording]), file.language):
                    message = f"prompt '{wording}' does not say in {file.language} that the language is kept"
                    path = ("steps", name, *said.path)
                    yield source.problem(
                        rules.LANGUAGE_NOT_SAID, path, message, "say that it is, or leave it out of 'keeps'"
                    )
