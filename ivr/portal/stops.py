"""The page of the kill switch: what takes no cards for now, and the form that stops it or starts it again."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from flask import Blueprint, abort, g, request
from werkzeug.wrappers import Response as AnyResponse

from ivr.calls.stopping import reason_in, require_stoppable
from ivr.errors import RecordError
from ivr.portal.pages import LONGEST_TYPED, Pages
from ivr.store import LONGEST_REASON, STOP_SCOPES, Stop, StopScope, Store


@dataclass(frozen=True)
class StopPages:
    """Stopping asks twice: the first form says what it will do, and to how many calls."""

    pages: Pages

    def show(self, told: str = "", problem: str = "", wanted: Stop | None = None) -> AnyResponse:
        """`wanted`: to be confirmed."""
        store = self.pages.store
        return self.pages.page(
            "stops.html",
            409 if problem else 200,
            stops=store.stops(),
            choices=self.choices(),
            wanted=wanted,
            open_calls=store.count_open_calls(),
            longest=LONGEST_REASON,
            told=told,
            problem=problem,
        )

    def stop(self) -> AnyResponse:
        """Confirmed, it is done; else the page asks for that."""
        try:
            scope, name = self.asked()
            if scope != "line":
                require_stoppable(scope, name, self.known()[scope])
            reason = reason_in(request.form.get("reason", "")[: LONGEST_REASON + LONGEST_TYPED])
            wanted = Stop(scope, name, reason, g.person.name, self.pages.asker.now())
        except RecordError as error:
            return self.show(problem=str(error))
        if request.form.get("confirmed") != "yes":
            return self.show(wanted=wanted)
        if not self.pages.store.stop_charging(wanted):
            return self.show(problem=f"{wanted.what} is stopped already")
        return self.show(told=f"no card is taken of {wanted.what} from now on")

    def start(self) -> AnyResponse:
        scope, name = self.asked()
        if not self.pages.store.start_charging(scope, name, g.person.name, self.pages.asker.now()):
            return self.show(problem="that is not stopped any more")
        return self.show(told=f"cards are taken again of {f'{scope} {name}' if name else 'the whole line'}")

    def asked(self) -> tuple[StopScope, str]:
        """As the form has it: `line`, or `flow pay-a-bill`."""
        written, _, name = request.form.get("what", "")[:LONGEST_TYPED].partition(" ")
        scope = next((one for one in STOP_SCOPES if one == written), None)
        if scope is None or (scope == "line") != (not name):
            abort(400)
        return scope, name

    def known(self) -> Mapping[StopScope, list[str]]:
        return stoppable(self.pages.store, self.pages.asker.banks())

    def choices(self) -> list[tuple[str, str]]:
        """What stands in the form, and how it reads."""
        named = [(f"{scope} {name}", f"{scope} {name}") for scope, names in self.known().items() for name in names]
        return [("line", "the whole line"), *named]


def stoppable(store: Store, banks: Iterable[str]) -> Mapping[StopScope, list[str]]:
    """The names of what can be stopped, beside the whole line."""
    return {"flow": sorted({*store.live_versions(), *store.called_flows()}), "bank": sorted(banks)}


def add_stop_pages(blueprint: Blueprint, pages: Pages) -> None:
    stops = StopPages(pages)
    blueprint.add_url_rule("/stops", "stops", stops.show, methods=["GET"])
    blueprint.add_url_rule("/stops", "stop", stops.stop, methods=["POST"])
    blueprint.add_url_rule("/stops/start", "start", stops.start, methods=["POST"])
