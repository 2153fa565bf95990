"""Every case as one table: `python -m tests.flows.table` prints case, expected, got and whether they agree; exit code 1 if not."""

import sys

from rich.console import Console
from rich.table import Table

from ivr.core.brands import brand_of
from tests.cases.test_cards_and_money import rows, said
from tests.flows.cases import Case, cases


def main() -> int:
    table = Table("case", "expected", "got", "ok", show_lines=True)
    wrong = 0
    for name, expected, got in [*flows("merchants"), *flows("broken"), *cards(), *amounts()]:
        wrong += expected != got
        table.add_row(
            name, expected, got if got != expected else "the same", "yes" if got == expected else "[red]NO[/]"
        )
    Console(width=200, markup=True).print(table)
    sys.stdout.write(f"{table.row_count - wrong} of {table.row_count} as expected\n")
    return 1 if wrong else 0


def flows(folder: str) -> list[tuple[str, str, str]]:
    return [(f"{folder}/{case.name}", lines(case.expected, case), lines(case.got, case)) for case in cases(folder)]


def lines(found: list[str], case: Case) -> str:
    return "\n".join(line.removeprefix(f"{case.name}.yaml:") for line in found).replace("[", "\\[") or "no problems"


def cards() -> list[tuple[str, str, str]]:
    found = [(row["number"], row["brand"], brand_of(row["number"].encode())) for row in rows("cards.csv")]
    return [(f"card {number[:6]}...", brand, got.name if got else "none") for number, brand, got in found]


def amounts() -> list[tuple[str, str, str]]:
    return [
        (f"{r['language']} {r['amount']}", r["words"], said(r["language"], r["amount"])[0]) for r in rows("money.csv")
    ]


if __name__ == "__main__":
    sys.exit(main())
