"""Authors publish flows and go back to earlier versions: alone, or each with a second author's word (PORTAL_SECOND_AUTHOR).

It is the command line's own way of doing it (`calls.publishing`), with four eyes before it. What is refused is on record too.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ivr.calls.flow_drafts import CheckedFiles, DraftFiles, check_files, require_content
from ivr.calls.flow_folder import draft_of
from ivr.calls.live_flows import stored_content_of
from ivr.calls.publishing import live_version, numbered_version, publish_content, roll_back, way_back
from ivr.errors import FlowError, IvrError, RecordError
from ivr.flow.compiler import Around
from ivr.flow.content import Content, compiled, stored_content
from ivr.portal.second_word import is_said, require_sayable
from ivr.store import Draft, FlowRequest, OtherLiveError, Store, WantedFlow

LONGEST_ABOUT = 200  # characters of an audit event


@dataclass(frozen=True)
class Publisher:
    """`around`: what a flow is checked against, asked anew each time; `takes_two`: a second author must allow each change."""

    store: Store
    around: Callable[[], Around]
    now: Callable[[], datetime]
    takes_two: bool

    def check(self, files: DraftFiles) -> CheckedFiles:
        return check_files(files, self.around())

    def live_number(self, flow: str) -> int:
        """0 where no version answers calls."""
        live = live_version(self.store, flow)
        return live.number if live else 0

    def before_and_after(self, wanted: WantedFlow) -> tuple[Content | None, Content]:
        """What is live when it is asked for, None where nothing is; and what is to be."""
        base = self.store.flow_version(wanted.flow, wanted.base)
        if wanted.draft is not None:
            after = content_in(wanted.draft)
        else:
            after = stored_content_of(numbered_version(self.store, wanted.flow, wanted.number))
        return stored_content_of(base) if base else None, after

    # ---- asked for; each gives what became of it in words, and RecordError says why it was refused

    def publish(self, files: DraftFiles, base: int, by: str) -> str:
        """`base`: the version that was live when the page was shown."""
        try:
            content = require_content(files, self.check(files))
            self.require_base(files.flow, base)
            if self.store.version_of_digest(content.digest) == live_version(self.store, files.flow) is not None:
                raise RecordError(f"version {base} of {files.flow} is live already, and nothing has changed")
            wanted = WantedFlow("publication", files.flow, base, by, draft=draft_of(content))
            return self._ask_second(wanted) if self.takes_two else self._publish(content, base, by)
        except RecordError as error:
            self.note_refusal("publication", files.flow, error, by)
            raise

    def roll_back(self, flow: str, number: int, base: int, by: str) -> str:
        try:
            way = way_back(self.store, flow, number)
            self.require_base(flow, base)
            if way.is_live_already:
                raise RecordError(f"version {number} of {flow} is live already")
            self._require_usable(flow, number)
            wanted = WantedFlow("rollback", flow, base, by, number)
            return self._ask_second(wanted) if self.takes_two else self._roll_back(wanted)
        except RecordError as error:
            self.note_refusal("rollback", flow, error, by)
            raise

    def decide(self, request: FlowRequest, by: str, *, allows: bool, is_repeat: bool = False) -> str:
        """Whoever asked may take it back, and cannot allow it. What has changed since is looked at again. `is_repeat`: it may be that
        the same person's same word has come before, and was not answered."""
        wanted, is_new = request.wanted, True
        try:
            try:
                self._say(request, by, allows=allows)
            except RecordError:
                is_new = False
                if not is_repeat or not is_said(self.store.flow_request(request.id), by, allows=allows):
                    raise
            if not allows:
                return f"{wanted.told} is refused"
            return self._do(wanted) if is_new else self._once_more(wanted)
        except RecordError as error:
            self.note_refusal(wanted.kind, wanted.flow, error, by)
            raise

    # ---- four eyes

    def _say(self, request: FlowRequest, by: str, *, allows: bool) -> None:
        require_sayable(self.store.flow_request(request.id) or request, by, "another author", allows=allows)
        if allows:
            self._require_as_asked(request.wanted)
        if self.store.decide_flow_request(request.id, by, self.now(), allows=allows) is None:
            raise RecordError("that was decided meanwhile")

    def _ask_second(self, wanted: WantedFlow) -> str:
        if not self.store.ask_second_author(f"F{secrets.token_hex(8)}", wanted, self.now()):
            raise RecordError(f"a change of {wanted.flow} waits for a second author already")
        return f"{wanted.told} waits for a second author"

    def _require_as_asked(self, wanted: WantedFlow) -> None:
        """The same version is live, and what is to be live can be used with the banks of now."""
        self.require_base(wanted.flow, wanted.base)
        if wanted.draft is None:
            self._require_usable(wanted.flow, wanted.number)
        else:
            self._require_compiled(content_in(wanted.draft))

    def _do(self, wanted: WantedFlow) -> str:
        """In the name of who asked: who allowed it is an event of its own."""
        if wanted.draft is None:
            return self._roll_back(wanted)
        return self._publish(content_in(wanted.draft), wanted.base, wanted.asked_by)

    def _once_more(self, wanted: WantedFlow) -> str:
        """What was allowed, and is live, is not done again."""
        live = live_version(self.store, wanted.flow)
        digest = wanted.draft.digest if wanted.draft else ""
        if live is not None and (live.number == wanted.number or live.digest == digest):
            return f"version {live.number} of {wanted.flow} is live already"
        self._require_as_asked(wanted)
        return self._do(wanted)

    # ---- done

    def _publish(self, content: Content, base: int, by: str) -> str:
        version = publish_content(self.store, content, by, self.now(), base)
        return f"version {version.number} of {content.flow} is live: calls that begin within seconds have it"

    def _roll_back(self, wanted: WantedFlow) -> str:
        flow, number = wanted.flow, wanted.number
        target = numbered_version(self.store, flow, number)
        try:
            roll_back(self.store, target, self.around(), wanted.asked_by, self.now(), wanted.base)
        except FlowError as error:
            raise RecordError(f"version {number} cannot be used any more: {error}") from None
        return f"version {number} of {flow} is live again: calls that begin within seconds have it"

    def require_base(self, flow: str, base: int) -> None:
        if self.live_number(flow) != base:
            raise OtherLiveError

    def _require_usable(self, flow: str, number: int) -> None:
        self._require_compiled(stored_content_of(numbered_version(self.store, flow, number)))

    def _require_compiled(self, content: Content) -> None:
        try:
            compiled(content, self.around())
        except IvrError as error:
            raise RecordError(f"it cannot be used any more: {error}") from None

    def note_refusal(self, what: str, flow: str, error: RecordError, by: str) -> None:
        self.store.note(by, f"flow {what} refused", f"{flow}: {error}"[:LONGEST_ABOUT], self.now())


def content_in(draft: Draft) -> Content:
    return stored_content(draft.flow, draft.text, draft.prompts, draft.parts)
