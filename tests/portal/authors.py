"""A line with a flow that was published, and what authors do with a draft of it in a browser."""

import re
from html import unescape

from werkzeug.test import TestResponse

from ivr.calls.flow_drafts import DraftFiles, check_files, files_of
from ivr.calls.flow_folder import draft_of, read_folder
from ivr.calls.live_flows import stored_content_of
from ivr.flow.compiler import NOTHING_AROUND
from ivr.flow.content import Content, contents_of
from ivr.store import FlowVersion
from tests.benches import ROOT
from tests.portal.lines import Line, Person

FLOW = "pay-a-bill"
TEXT = f"{FLOW}.yaml"
FOLDER = ROOT / "tests" / "flows" / "sample"


def content() -> Content:
    return contents_of(read_folder(FOLDER, NOTHING_AROUND))[FLOW]


def published_line(*, takes_two: bool = False) -> Line:
    """`pay-a-bill` is live in its first version."""
    line = Line(takes_two_authors=takes_two)
    line.store.publish_flow(draft_of(content()), "root", line.clock())
    return line


def publish_again(line: Line, old: str, new: str) -> FlowVersion:
    """The same with another text, as the command line would."""
    files = files_of(stored_content_of(live(line)))
    changed = check_files(DraftFiles(FLOW, edited(files.text, old, new), files.prompts, files.parts), NOTHING_AROUND)
    assert changed.content is not None, changed.found.problems
    return line.store.publish_flow(draft_of(changed.content), "root", line.clock())


def live(line: Line) -> FlowVersion:
    found = line.store.flow_version(FLOW, line.store.live_versions()[FLOW].number)
    assert found is not None
    return found


def edited(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new)


def fields_of(page: str) -> dict[str, str]:
    """Of the editor's form: each file's text, and what is hidden."""
    found = {
        name: unescape(text)
        for name, text in re.findall(r'<textarea[^>]* name="([^"]+)"[^>]*>\n(.*?)</textarea>', page, re.S)
    }
    form = page[page.index('id="draft"') :]
    return found | dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', form))


def send_draft(person: Person, to: str, old: str = "", new: str = "", file: str = TEXT, **more: str) -> TestResponse:
    """The editor's form as it is shown, with a change in one of its files, to `/flows/pay-a-bill/` and `to`."""
    fields = fields_of(person.get(f"/flows/{FLOW}/draft").text)
    fields[file] = edited(fields[file], old, new) if old else fields[file]
    return person.post(f"/flows/{FLOW}/{to}", fields | more)
