"""What people read where the command line names an option and the API a member: the labels of the pages' fields."""

from ivr.errors import RecordError

# As the forms have them.
LABELS = {"text": "Number", "caller_end": "Caller", "--amount": "Amount", "--reopen-bill": "", "address": ""}


def on_a_page(error: RecordError) -> str:
    """The same rules serve the command line, whose options have hyphens, and the API, whose fields have names."""
    words = str(error)
    for name, label in LABELS.items():
        if words.startswith(f"{name}: "):
            return f"{label}{words.removeprefix(name)}" if label else words.removeprefix(f"{name}: ")
    return words
