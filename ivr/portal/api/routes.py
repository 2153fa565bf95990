"""The API as a blueprint: a route for each operation of the table, which checks what was sent by its shapes."""

import re
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, jsonify, request
from pydantic import BaseModel, ValidationError

from ivr.errors import RecordError
from ivr.portal.api.answers import ApiAnswers
from ivr.portal.api.description import description
from ivr.portal.api.gate import Gate
from ivr.portal.api.line_answers import holder
from ivr.portal.api.once import OnceOnly
from ivr.portal.api.operations import OPERATIONS, PLACES, ROOT, ApiOperation
from ivr.portal.api.problems import ProblemError, invalid
from ivr.portal.api.shapes import WrongPlace
from ivr.portal.credentials import digest_of
from ivr.portal.finding import Finder, day_in
from ivr.portal.modifications import Asker
from ivr.portal.publishing import Publisher
from ivr.portal.signing_in import SignIn
from ivr.portal.site import PortalSite
from ivr.store import RememberedAnswer


def api(site: PortalSite, signing_in: SignIn, finder: Finder, asker: Asker, publisher: Publisher) -> Blueprint:
    """Register it beside the pages."""
    blueprint = Blueprint("api", __name__, url_prefix=ROOT)
    gate = Gate(site, signing_in)
    gate.stand_before(blueprint)
    answers, once = ApiAnswers(asker.store, finder, asker, gate, publisher), OnceOnly(asker.store, signing_in.now)
    for one in OPERATIONS:
        blueprint.add_url_rule(one.rule, one.name, view_of(one, answers, once), methods=[one.method])
    described = description(site.address)
    blueprint.add_url_rule("/openapi.json", "description", lambda: jsonify(described))
    blueprint.register_error_handler(ProblemError, lambda problem: problem.response())
    return blueprint


def view_of(one: ApiOperation, answers: ApiAnswers, once: OnceOnly) -> Callable[..., Response]:
    work = getattr(answers, one.name)

    def view(**written: str) -> Response:
        places = {name: place_in(name, text) for name, text in written.items()}
        sent = [*body_of(one), *query_of(one)]
        if not one.once:
            return answered(one, work(*places.values(), *sent))
        user = holder().token.user
        asked = RememberedAnswer(digest_of(f"{request.path} {sent[0].model_dump_json()}"), looked_at(answers, places))
        key = request.headers.get("Idempotency-Key", "")
        return once.answer(user, key, asked, lambda looked: answered(one, work(*places.values(), *sent, looked)))

    return view


def place_in(name: str, written: str) -> Any:
    """A part of the path; what cannot be one is not there."""
    if name == "day":
        try:
            return day_in(written)
        except RecordError as error:
            raise ProblemError(
                404, "not_found", str(error), WrongPlace(place="path.day", cure="such as 2026-01-31")
            ) from None
    if not re.fullmatch(PLACES[name]["pattern"], written, re.ASCII):
        raise ProblemError(404, "not_found", f"there is no such {name}")
    return written


def body_of(one: ApiOperation) -> list[BaseModel]:
    if one.body is None:
        return []
    if request.mimetype != "application/json":
        cure = "application/json"
        raise ProblemError(
            415,
            "http",
            "the body must be JSON, and the header must say so",
            WrongPlace(place="header.Content-Type", cure=cure),
        )
    try:
        return [one.body.model_validate_json(request.get_data())]
    except ValidationError as error:
        raise invalid(error, "body") from None


def query_of(one: ApiOperation) -> list[BaseModel]:
    if one.query is None:
        return []
    try:
        return [one.query.model_validate(request.args.to_dict())]
    except ValidationError as error:
        raise invalid(error, "query") from None


def looked_at(answers: ApiAnswers, places: dict[str, Any]) -> str:
    """What can be refunded of the payment now; nothing for a request that is decided."""
    if "reference" not in places:
        return ""
    return str(answers.store.balance_of(answers.payment_called(places["reference"])).refundable)


def answered(one: ApiOperation, answer: BaseModel | Response) -> Response:
    if isinstance(answer, Response):
        return answer
    return Response(answer.model_dump_json(), one.status, mimetype="application/json")
