"""Rows as a CSV file for a spreadsheet."""

import csv
import io
from collections.abc import Sequence


def in_csv(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A cell that a spreadsheet would take for a formula begins with an apostrophe (OWASP, CSV injection)."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([[f"'{cell}" if cell[:1] in "=+-@\t\r" and cell else cell for cell in row] for row in rows])
    return text.getvalue()
