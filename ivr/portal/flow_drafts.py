"""The page of an author's draft: flow, prompts and parts as text, checked and completed while they are typed, kept, and published."""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from flask import Blueprint, Response, abort, g, jsonify, request
from werkzeug.wrappers import Response as AnyResponse

from ivr.calls.flow_drafts import DraftFiles, files_in, files_of, require_content, require_no_card
from ivr.calls.live_flows import stored_content_of
from ivr.errors import RecordError
from ivr.flow.compiled import Flow
from ivr.flow.completing import KnownNames, TextCursor, complete
from ivr.flow.content import compiled
from ivr.flow.drawing.diagram import svg
from ivr.portal.flow_rows import problem_shown
from ivr.portal.flows import FlowPages, is_number, sources_of
from ivr.portal.publishing import Publisher
from ivr.portal.site import style_nonce
from ivr.store import SavedDraft
from ivr.words.phrases import Prompts

MOST_OFFERED = 60
NONCE = re.compile(r"[A-Za-z0-9_-]{10,60}", re.ASCII)
PROMPT_NAME = re.compile(r"^(\w+):", re.MULTILINE)


class TryingPhone(Protocol):
    """A telephone that calls a draft, beside everything that is real. `scripts`: the folder of what its page loads; `choices`: what
    one click keys in, as words, more words, and the keys by the name of what is asked for."""

    scripts: Path
    choices: Sequence[tuple[str, str, Mapping[str, str]]]

    def ring(self, flow: Flow, prompts: Prompts) -> str:
        """Where the call's WebSocket is, once and soon."""
        ...


@dataclass(frozen=True)
class FlowEditing:
    """How flows go live, and what they are tried on before; without a phone a draft is checked alone."""

    publisher: Publisher
    phone: TryingPhone | None = None


@dataclass(frozen=True)
class DraftPages:
    flows: FlowPages
    phone: TryingPhone | None = None

    # ---- the page

    def draft(self, flow: str) -> AnyResponse:
        """The author's own draft, or one of the version that is live, or that `from` names."""
        files, base, saved = self.begun(flow, request.args.get("from", ""))
        return self.shown(files, base, saved)

    def save_draft(self, flow: str) -> AnyResponse:
        files, base = self.sent(flow)
        try:
            require_no_card(files)
        except RecordError as error:
            self.flows.publisher.note_refusal("draft", flow, error, g.person.name)
            return self.shown(files, base, None, problem=str(error))
        saved = SavedDraft(flow, g.person.name, files.in_json(), base, self.now())
        self.flows.pages.store.save_flow_draft(saved)
        return self.shown(files, base, saved, told="The draft is kept. Nobody is answered with it.")

    def drop_draft(self, flow: str) -> AnyResponse:
        self.flows.known(flow)
        self.flows.pages.store.drop_flow_draft(flow, g.person.name)
        return self.flows.flow(flow, told="The draft is gone.")

    def publish(self, flow: str) -> AnyResponse:
        """What was refused is still in the editor, with its problems at their lines."""
        files, base = self.sent(flow)
        try:
            told = self.flows.publisher.publish(files, base, g.person.name)
        except RecordError as error:
            saved = self.flows.pages.store.flow_draft(flow, g.person.name)
            return self.shown(files, base, saved, problem=str(error))
        self.flows.pages.store.drop_flow_draft(flow, g.person.name)
        return self.flows.flow(flow, told)

    def shown(
        self, files: DraftFiles, base: int, saved: SavedDraft | None, told: str = "", problem: str = ""
    ) -> AnyResponse:
        checked, nonce = self.flows.publisher.check(files), secrets.token_urlsafe(16)
        page = self.flows.pages.page(
            "flow_draft.html",
            409 if problem else 200,
            nonce=nonce,
            phone=self.phone,
            begun_from=request.values.get("from", "") if saved is None else "",
            files=files,
            base=base,
            live=self.flows.publisher.live_number(files.flow),
            saved=saved,
            sources=sources_of(files, checked),
            problems=[problem_shown(one) for one in checked.told],
            takes_two=self.flows.publisher.takes_two,
            told=told,
            problem=problem,
        )
        return style_nonce(page, nonce)  # the editor makes its styles in the page

    # ---- while somebody types

    def check_draft(self, flow: str) -> AnyResponse:
        files, _ = self.sent(flow)
        checked = self.flows.publisher.check(files)
        return jsonify(problems=[problem_shown(one) for one in checked.told], is_good=checked.content is not None)

    def complete_draft(self, flow: str) -> AnyResponse:
        """What could stand at `line` and `column` (from 1) of the flow's own file."""
        files, _ = self.sent(flow)
        line, column = request.form.get("line", ""), request.form.get("column", "")
        if not (is_number(line) and is_number(column)):
            abort(400)
        known = KnownNames(prompt_names(files), sorted(self.flows.pages.asker.banks()), sorted(files.parts))
        found = complete(files.text, TextCursor(int(line), int(column)), known)
        options = [{"label": one.label, "detail": one.detail, "info": one.about} for one in found.options]
        return jsonify(column=found.column, options=options[:MOST_OFFERED])

    def try_draft(self, flow: str) -> AnyResponse:
        """A ticket for a call of it, and its diagram to follow the call on."""
        if self.phone is None:
            abort(404)
        files, _ = self.sent(flow)
        nonce = request.form.get("nonce", "")
        if not NONCE.fullmatch(nonce):
            abort(400)
        try:
            content = require_content(files, self.flows.publisher.check(files))
        except RecordError as error:
            return Response(f"{error}\n".replace("published", "called"), 409, mimetype="text/plain")
        compiled_flow, prompts = compiled(content)
        return jsonify(address=self.phone.ring(compiled_flow, prompts), drawing=svg(compiled_flow, nonce=nonce))

    # ---- parts of it

    def begun(self, flow: str, number: str) -> tuple[DraftFiles, int, SavedDraft | None]:
        row = self.flows.known(flow)
        saved = self.flows.pages.store.flow_draft(flow, g.person.name)
        if saved is not None and not number:
            return files_in(flow, saved.files), saved.base, saved
        version = self.flows.numbered(flow, number) if number else row.live or row.versions[0]
        return files_of(stored_content_of(version)), row.live.number if row.live else 0, saved

    def sent(self, flow: str) -> tuple[DraftFiles, int]:
        """As the form has it: a field for each file, by its name."""
        base = request.form.get("base", "")
        if not is_number(base):
            abort(400)
        files, _, _ = self.begun(flow, request.form.get("from", ""))
        return files.edited(request.form), int(base)

    def now(self) -> datetime:
        return self.flows.pages.asker.now()


def prompt_names(files: DraftFiles) -> list[str]:
    """Of all languages, as far as a file that is being typed can be read."""
    return sorted({name for text in files.prompts.values() for name in PROMPT_NAME.findall(text)})


def add_draft_pages(blueprint: Blueprint, flows: FlowPages, phone: TryingPhone | None) -> None:
    drafts = DraftPages(flows, phone)
    for rule, name, view, methods in (
        ("/flows/<flow>/draft", "draft", drafts.draft, ("GET",)),
        ("/flows/<flow>/draft", "save_draft", drafts.save_draft, ("POST",)),
        ("/flows/<flow>/draft/drop", "drop_draft", drafts.drop_draft, ("POST",)),
        ("/flows/<flow>/draft/check", "check_draft", drafts.check_draft, ("POST",)),
        ("/flows/<flow>/draft/complete", "complete_draft", drafts.complete_draft, ("POST",)),
        ("/flows/<flow>/draft/call", "try_draft", drafts.try_draft, ("POST",)),
        ("/flows/<flow>/publish", "publish", drafts.publish, ("POST",)),
    ):
        blueprint.add_url_rule(rule, name, view, methods=list(methods))
