"""Errors of the API as problem details (RFC 9457): what is wrong, at which place, and what cures it. None repeats a value that was sent."""

from flask import Response, request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import HTTPException

from ivr.errors import RecordError
from ivr.portal.api.cures import DESCRIPTION, cure_of, place_of
from ivr.portal.api.shapes import ProblemDetails, WrongPlace

PREFIX = "/api/"
TYPES = "/api/v1/problems/"
MIMETYPE = "application/problem+json"
TITLES = {
    "invalid": "The request is not what the description says",
    "unclear": "What was typed cannot be searched for",
    "no_token": "Nobody is known by this token",
    "slowed": "Too many tokens that are none",
    "forbidden": "The role may not do that",
    "network": "Not from this network",
    "other_host": "This server is called by another name",
    "not_found": "There is no such thing",
    "refused": "It cannot be done as things stand",
    "key_reused": "The idempotency key was used for another request",
    "http": "The request was not understood",
    "fault": "Something of ours is not working",
}
WAIT_S = 15 * 60
# The portal's own words for what the API calls otherwise.
MEMBERS = {"older_than": "cursor"}


class ProblemError(Exception):
    """`kind`: one of TITLES."""

    def __init__(self, status: int, kind: str, detail: str, *errors: WrongPlace) -> None:
        super().__init__(detail)
        self.status, self.kind, self.detail, self.errors = status, kind, detail, errors

    def response(self) -> Response:
        body = ProblemDetails(
            type=f"{TYPES}{self.kind}",
            title=TITLES[self.kind],
            status=self.status,
            detail=self.detail,
            errors=list(self.errors),
        )
        made = Response(body.model_dump_json(), self.status, mimetype=MIMETYPE)
        if self.status == 401:
            made.headers["WWW-Authenticate"] = 'Bearer realm="tonetill"'
        if self.kind == "slowed":
            made.headers["Retry-After"] = str(WAIT_S)
        return made


def invalid(error: ValidationError, part: str, model: type[BaseModel]) -> ProblemError:
    """`part` of the request: body, query. `model`: the shape that it was checked by."""
    found = error.errors(include_input=False, include_url=False)
    faults = [WrongPlace(place=place_of(part, one), cure=cure_of(one, model)) for one in found]
    return ProblemError(400, "invalid", f"{faults[0].place}: {faults[0].cure}", *faults)


def not_found(place: str, cure: str) -> ProblemError:
    """`place`: the member of the path, the header or the body that names what there is not."""
    return ProblemError(404, "not_found", cure, WrongPlace(place=place, cure=cure))


def refused(error: RecordError, status: int = 409) -> ProblemError:
    """The words are the command line's, which has options in place of members."""
    words = str(error).replace("--reopen-bill: ", "reopens_bill: ").removeprefix("--")
    name, colon, cure = words.partition(": ")
    name = MEMBERS.get(name, name)
    kind = "unclear" if status == 422 else "refused"
    # A sentence that begins with no member's name is about the whole.
    is_member = colon and name.isidentifier()
    return ProblemError(status, kind, words, *([WrongPlace(place=f"body.{name}", cure=cure)] if is_member else []))


def is_of_api() -> bool:
    return request.path.startswith(PREFIX)


def of_http(error: HTTPException) -> Response:
    made = of_code(error).response()
    allowed = error.get_response().headers.get("Allow")
    if allowed:
        made.headers["Allow"] = allowed
    return made


def of_code(error: HTTPException) -> ProblemError:
    if error.code == 404:
        return ProblemError(404, "not_found", f"there is no such address: {DESCRIPTION} has all of them")
    if error.code == 413:
        cure = "a shorter body is expected"
        return ProblemError(413, "http", cure, WrongPlace(place="body", cure=cure))
    return ProblemError(error.code or 500, "http", str(error.name))


def of_fault() -> Response:
    return ProblemError(503, "fault", "something of ours is not working: send the same again").response()
