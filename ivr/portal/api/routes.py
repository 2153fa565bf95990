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
from ivr.portal.api.problems import ProblemError, invalid, not_found
from ivr.portal.api.shapes import DAY_WRITTEN, WrongPlace
from ivr.portal.credentials import digest_of
from ivr.portal.finding import day_in
from ivr.portal.pages import Pages
from ivr.portal.publishing import Publisher
from ivr.portal.signing_in import SignIn
from ivr.store import RememberedAnswer

# Of a part of the path that cannot be one.
NOT_ONE = {
    "reference": "that is no reference: a search has them",
    "key": "that is no request's id: `GET /requests` has them",
    "flow": "that is no flow's name: `GET /flows` has them",
    "change": "that is no request's id: `GET /flow-requests` has them",
    "number": "a version's number is written 1, 2, 3",
}


def api(pages: Pages, signing_in: SignIn, publisher: Publisher) -> Blueprint:
    """Register it beside the pages: it stands on what they stand on."""
    blueprint = Blueprint("api", __name__, url_prefix=ROOT)
    gate = Gate(pages.site, signing_in)
    gate.stand_before(blueprint)
    answers, once = ApiAnswers(pages, gate, publisher), OnceOnly(pages.store, signing_in.now)
    for one in OPERATIONS:
        blueprint.add_url_rule(one.rule, one.name, view_of(one, answers, once), methods=[one.method])
    described = description(pages.site.address)
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
        asked = RememberedAnswer(
            digest_of(f"{request.path} {sent[0].model_dump_json()}"), looked_at(one, answers, places)
        )
        key = request.headers.get("Idempotency-Key", "")
        return once.answer(user, key, asked, lambda looked: answered(one, work(*places.values(), *sent, looked)))

    return view


def place_in(name: str, written: str) -> Any:
    """A part of the path; what cannot be one is not there."""
    if name == "day":
        try:
            return day_in(written)
        except RecordError:
            raise not_found("path.day", DAY_WRITTEN) from None
    if not re.fullmatch(PLACES[name]["pattern"], written, re.ASCII):
        raise not_found(f"path.{name}", NOT_ONE[name])
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
        raise invalid(error, "body", one.body) from None


def query_of(one: ApiOperation) -> list[BaseModel]:
    if one.query is None:
        return []
    try:
        return [one.query.model_validate(request.args.to_dict())]
    except ValidationError as error:
        raise invalid(error, "query", one.query) from None


def looked_at(one: ApiOperation, answers: ApiAnswers, places: dict[str, Any]) -> str:
    """As it is now; nothing for a request that is decided."""
    return str(getattr(answers, one.looks_at)(*places.values())) if one.looks_at else ""


def answered(one: ApiOperation, answer: BaseModel | Response) -> Response:
    if isinstance(answer, Response):
        return answer
    return Response(answer.model_dump_json(), one.status, mimetype="application/json")
