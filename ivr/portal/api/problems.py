"""Errors of the API as problem details (RFC 9457): what is wrong, at which place, and what cures it. None repeats what was sent, but for the names of fields."""

from flask import Response, request
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from werkzeug.exceptions import HTTPException

from ivr.errors import RecordError
from ivr.portal.api.shapes import ProblemDetails, WrongPlace
from ivr.reading.problems import without_card_numbers

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
LONGEST_NAME = 60  # of a field


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


def invalid(error: ValidationError, part: str) -> ProblemError:
    """`part` of the request: body, query."""
    found = error.errors(include_input=False, include_url=False, include_context=False)
    faults = [WrongPlace(place=place_of(part, one), cure=cure_of(one)) for one in found]
    return ProblemError(400, "invalid", f"{faults[0].place}: {faults[0].cure}", *faults)


def place_of(part: str, fault: ErrorDetails) -> str:
    """The name of a field that there is not is what was sent: it is said shortened, and never where it could be a card number."""
    return ".".join((part, *(without_card_numbers(str(name)[:LONGEST_NAME]) for name in fault["loc"])))


def cure_of(fault: ErrorDetails) -> str:
    return (
        "there is no such field: /api/v1/openapi.json has them" if fault["type"] == "extra_forbidden" else fault["msg"]
    )


def refused(error: RecordError, status: int = 409) -> ProblemError:
    """The words are the command line's, which has options in place of members."""
    words = str(error).replace("--reopen-bill: ", "reopens_bill: ").removeprefix("--")
    name, colon, cure = words.partition(": ")
    kind = "unclear" if status == 422 else "refused"
    # A sentence that begins with no member's name is about the whole.
    is_member = colon and name.isidentifier()
    return ProblemError(status, kind, words, *([WrongPlace(place=f"body.{name}", cure=cure)] if is_member else []))


def is_of_api() -> bool:
    return request.path.startswith(PREFIX)


def of_http(error: HTTPException) -> Response:
    made = ProblemError(error.code or 500, "not_found" if error.code == 404 else "http", str(error.name)).response()
    allowed = error.get_response().headers.get("Allow")
    if allowed:
        made.headers["Allow"] = allowed
    return made


def of_fault() -> Response:
    return ProblemError(503, "fault", "something of ours is not working: send the same again").response()
