"""A flow that a test writes itself, on a bench, and callers who ring it; its prompts are the product's with words of the test's own."""

from pathlib import Path

from ivr.channels.simulator import Caller
from ivr.store import Store
from ivr.testing.line import PlacedCall
from tests.benches import ROOT, Bench, make_bench

ENGLISH = ROOT / "flows" / "prompts" / "en-US.yaml"
# From a customer's number and PIN to one of their bills, and what can be done with it.
BILLS = """
flow: {name}
schema: 1
languages: [en-US]
limits: {{attempts_per_caller: 5/1h, attempts_per_card: 3/24h, max_amount: 500.00 USD}}
lookups:
  billing.find_bills: {{takes: [customer_number, pin], gives: {{bill.issued: date}}}}
start: customer
steps:
  customer: {{ask: customer_number, length: 8, then: {{ok: pin, gave_up: goodbye}}}}
  pin:
    ask: pin
    length: 4
    lookup: billing.find_bills
    then: {{found: which_bill, not_found: goodbye, gave_up: goodbye}}
  which_bill:
    choose_bill: offer_bill
    then: {{chosen: {chosen}, none_left: goodbye, finished: goodbye, gave_up: goodbye}}
{steps}
  goodbye: {{end: as_recorded}}
"""


def bench_with(sealing_key: Path, folder: Path, flow: str, words: str = "", store: Store | None = None) -> Bench:
    """`flow`: its text; `words`: prompts that it has beyond the product's."""
    (folder / "prompts").mkdir(parents=True)
    said = f"{ENGLISH.read_text(encoding='utf-8')}\n{words}\n"
    (folder / "prompts" / "en-US.yaml").write_text(said, encoding="utf-8")
    file = folder / "own.yaml"
    file.write_text(flow, encoding="utf-8")
    return make_bench(sealing_key, file, store)


def ring(bench: Bench, flow: str, ani: str = "+15550100") -> PlacedCall:
    line = bench.dial(flow, ani)
    assert bench.line is not None
    caller = Caller(bench.line.call_id, line)
    caller.take(line.begin())
    return PlacedCall(bench, caller)
