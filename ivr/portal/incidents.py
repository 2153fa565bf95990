"""The pages for when something goes wrong: what to do first, the line's keys and how each is rotated, and evidence as one archive.

A rotation is asked for twice, as a stop is: the first page says what it will do, the second press does it. Both pages say the
command for what the line does not do by itself.
"""

import tempfile
from dataclasses import dataclass
from datetime import date, timedelta
from typing import IO

from flask import Blueprint, abort, g, request, send_file
from werkzeug.wrappers import Response as AnyResponse

from ivr.errors import ConfigError, IvrError, RecordError
from ivr.incidents import (
    ANY_INCIDENT,
    MOST_DAYS,
    EvidenceArchive,
    EvidenceWanted,
    LineKey,
    LineKeys,
    RotationPlan,
    what_to_do,
)
from ivr.portal.finding import day_in
from ivr.portal.pages import LONGEST_TYPED, MOST_EVENTS, Pages
from ivr.portal.roles import may

USUAL_DAYS = 7
# What one request of the portal packs; the command line packs all.
MOST_CALLS = 5_000
IN_MEMORY = 8 * 2**20  # bytes of an archive; a larger one is on disk while it is made


@dataclass(frozen=True)
class IncidentPages:
    pages: Pages

    @property
    def line_keys(self) -> LineKeys:
        if self.pages.line_keys is None:
            abort(404)
        return self.pages.line_keys

    # ---- keys

    def keys(self, told: str = "", problem: str = "", status: int = 200) -> AnyResponse:
        """All of them; with a name, what rotating that one will do."""
        name, plan, keys = request.values.get("name", "")[:LONGEST_TYPED], None, list[LineKey]()
        try:
            keys = self.line_keys.all(self.pages.asker.now())
            plan = self.planned(name) if name and not told else None
        except ConfigError as error:
            problem, status = problem or str(error), 409
        names = list(dict.fromkeys(key.name for key in keys))
        today = self.pages.asker.now().date()
        values = {"keys": keys, "names": names, "plan": plan, "tomorrow": today + timedelta(days=1)}
        return self.pages.page("keys.html", status, told=told, problem=problem, **values)

    def planned(self, name: str) -> RotationPlan:
        try:
            return self.line_keys.plan(name, self.pages.asker.now())
        except RecordError:
            abort(404)

    def rotate(self) -> AnyResponse:
        """Confirmed, it is done, where the line can; what is refused is on record too."""
        name, now = request.form.get("name", "")[:LONGEST_TYPED], self.pages.asker.now()
        self.planned(name)
        if request.form.get("confirmed") != "yes":
            return self.keys()
        try:
            day = day_in(request.form["day"]) if request.form.get("day") else None
            if day is not None and not now.date() <= day <= now.date() + timedelta(days=365):
                raise RecordError("a first day from today on, within a year")
            done = self.line_keys.rotate(name, g.person.name, now, day)
        except IvrError as error:
            return self.keys(problem=str(error), status=409)
        return self.keys(told=done)

    # ---- incident, evidence

    def incident(self, problem: str = "") -> AnyResponse:
        standing, today = self.pages.store.alerts(MOST_EVENTS), self.pages.asker.now().date()
        values = {"todo": what_to_do(standing), "always": ANY_INCIDENT, "other": len(standing), "most_days": MOST_DAYS}
        days = {"since": today - timedelta(days=USUAL_DAYS - 1), "until": today}
        return self.pages.page("incident.html", 400 if problem else 200, problem=problem, **values, **days)

    def evidence(self) -> AnyResponse:
        in_full = request.form.get("callers") == "full"
        if in_full:
            self.pages.require("see_callers")
        try:
            days = self.day_of("since"), self.day_of("until")
            wanted = EvidenceWanted(*days, g.person.name, in_full and may(g.person.role, "see_callers"), MOST_CALLS)
            wanted.require()
        except RecordError as error:
            return self.incident(problem=str(error))
        line, now = self.line_keys, self.pages.asker.now()
        archive: IO[bytes] = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - the answer closes it
        EvidenceArchive(line.settings, self.pages.store, line.all).write(archive, wanted, now)
        archive.seek(0)
        name = f"evidence-{wanted.since}-{wanted.until}.zip"
        return send_file(archive, "application/zip", as_attachment=True, download_name=name)

    def day_of(self, name: str) -> date:
        written = request.form.get(name, "")[:LONGEST_TYPED]
        return day_in(written) if written else self.pages.asker.now().date()


def add_incident_pages(blueprint: Blueprint, pages: Pages) -> None:
    incidents = IncidentPages(pages)
    blueprint.add_url_rule("/keys", "keys", incidents.keys, methods=["GET"])
    blueprint.add_url_rule("/keys", "rotate_key", incidents.rotate, methods=["POST"])
    blueprint.add_url_rule("/incident", "incident", incidents.incident, methods=["GET"])
    blueprint.add_url_rule("/incident/evidence", "evidence", incidents.evidence, methods=["POST"])
