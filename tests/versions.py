"""The sample flow in versions: its text and prompts with changes, published into a store."""

from ivr.calls.flow_folder import draft_of
from ivr.flow.content import Content, contents_of
from ivr.flow.files import read_flows
from ivr.store import FlowVersion, Store
from tests.benches import ROOT, SAMPLE
from tests.store.payments import NOW

Change = tuple[str, str]
SHORTER = ("repeat: 2", "repeat: 1")
WITHOUT_OTHER_AMOUNT = ("      2: {say: pay_another_amount, then: other_amount}\n", "")
RENAMED_CARD = (
    ("then: card}", "then: pan}"),
    ("  card:", "  pan:"),
    ("{ok: card,", "{ok: pan,"),
    ("declined: card", "declined: pan"),
)
OTHER_AMOUNT_STEP = (
    "  other_amount:\n"
    "    ask: money # cents implied: 1075 is 10.75\n"
    "    between: [bill.min, bill.due]\n"
    "    confirm: always\n"
    "    then: {ok: card, gave_up: goodbye_unpaid}\n"
)


def content(*changes: Change, words: tuple[Change, ...] = ()) -> Content:
    """`changes` in the flow's text, `words` in the prompts in English; each must change something."""
    text = changed(SAMPLE.read_text(encoding="utf-8"), changes)
    folder = ROOT / "flows" / "prompts"
    files = {file.name: file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.yaml"))}
    files["en-US.yaml"] = changed(files["en-US.yaml"], words)
    found = read_flows([("pay-a-bill.yaml", text)], list(files.items()))
    assert not found.problems, found.problems
    return next(iter(contents_of(found).values()))


def publish(store: Store, *changes: Change, words: tuple[Change, ...] = ()) -> FlowVersion:
    return store.publish_flow(draft_of(content(*changes, words=words)), "tests", NOW)


def changed(text: str, changes: tuple[Change, ...]) -> str:
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text
