"""The operations of the API: one table that the routes and the OpenAPI description are both made of.

Which role may what is in `ivr.portal.roles`, by the same names.
"""

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel

from ivr.portal.api import flow_shapes, shapes

ROOT = "/api/v1"
# References are a call's id, which a network gave it, and the number of the attempt.
REFERENCE = r"^[A-Za-z0-9][A-Za-z0-9_.:@+-]{0,119}$"
PLACES = {
    "reference": {"type": "string", "pattern": REFERENCE},
    "key": {"type": "string", "pattern": "^R[0-9a-f]{1,38}$"},
    "day": {"type": "string", "format": "date"},
    "flow": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_-]{0,59}$"},
    "change": {"type": "string", "pattern": "^F[0-9a-f]{1,38}$"},
    "number": {"type": "string", "pattern": "^[1-9][0-9]{0,5}$"},
}


@dataclass(frozen=True)
class ApiOperation:
    """`path` as OpenAPI has it. `once`: needs an Idempotency-Key. `looks_at`: the method of the answers that says, at the first attempt,
    what a request under a key is about: the attempts after it ask for the same. `also_csv`: answers in either form. `refuses`:
    problems that it has beside those of every operation."""

    name: str
    method: Literal["GET", "POST"]
    path: str
    summary: str
    answer: type[BaseModel]
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    status: int = 200
    once: bool = False
    looks_at: str = ""
    also_csv: bool = False
    refuses: tuple[int, ...] = ()

    @property
    def rule(self) -> str:
        return self.path.replace("{", "<").replace("}", ">")

    @property
    def places(self) -> tuple[str, ...]:
        return tuple(name for name in PLACES if f"{{{name}}}" in self.path)


OPERATIONS = (
    ApiOperation("me", "GET", "/me", "Who the token is for, what it may, and until when", shapes.Me),
    ApiOperation(
        *("search", "POST", "/payments/search", "Payments, the latest first, fifty at a time"),
        answer=shapes.PaymentPage,
        body=shapes.Search,
        refuses=(400, 415, 422),
    ),
    ApiOperation(
        *("payment", "GET", "/payments/{reference}", "One payment's story"), answer=shapes.Story, refuses=(404,)
    ),
    ApiOperation(
        *("caller", "GET", "/payments/{reference}/caller", "The caller's number in full; put on record"),
        answer=shapes.CallerShown,
        refuses=(404,),
    ),
    ApiOperation(
        *("modify", "POST", "/payments/{reference}/modifications", "Ask for a refund, a void or a capture"),
        answer=shapes.WishTaken,
        body=shapes.AskedModification,
        status=202,
        once=True,
        looks_at="refundable_of",
        refuses=(400, 404, 409, 415, 422),
    ),
    ApiOperation(
        *(
            "resend",
            "POST",
            "/payments/{reference}/receipts",
            "Send the receipt again, by text or by e-mail; put on record",
        ),
        answer=shapes.ReceiptTaken,
        body=shapes.ReceiptAsked,
        status=202,
        once=True,
        looks_at="receipts_of",
        refuses=(400, 404, 409, 415, 422),
    ),
    ApiOperation("requests", "GET", "/requests", "What waits for a second person, the oldest first", shapes.Requests),
    ApiOperation(
        *(
            "decide",
            "POST",
            "/requests/{key}/decision",
            "Allow or refuse what another person asked for, or take back what one asked for oneself",
        ),
        answer=shapes.WishTaken,
        body=shapes.SecondWord,
        status=202,
        once=True,
        looks_at="status_of_request",
        refuses=(400, 404, 409, 415, 422),
    ),
    ApiOperation("day", "GET", "/days/{day}", "Totals of a day (UTC)", shapes.Day, refuses=(404,)),
    ApiOperation(
        *("movements", "GET", "/days/{day}/movements", "Who has paid on a day, as JSON or CSV; put on record"),
        answer=shapes.MovementsShown,
        query=shapes.MovementsQuery,
        also_csv=True,
        refuses=(400, 404),
    ),
    ApiOperation(
        *("calls", "POST", "/calls/search", "Calls of a day (UTC), the latest first, fifty at a time"),
        answer=shapes.CallPage,
        body=shapes.CallsAsked,
        refuses=(400, 415, 422),
    ),
    ApiOperation("live_calls", "GET", "/calls/live", "The calls that go on now, the longest first", shapes.LiveCalls),
    ApiOperation(
        *("call", "GET", "/calls/{reference}", "One call, turn by turn"), answer=shapes.CallStory, refuses=(404,)
    ),
    ApiOperation(
        *("find_person", "POST", "/persons/search", "How much is kept of one telephone number; put on record"),
        answer=shapes.PersonShown,
        body=shapes.PersonAsked,
        refuses=(400, 404, 415, 422),
    ),
    ApiOperation(
        *("export_person", "POST", "/persons/export", "All that is kept of one telephone number; put on record"),
        answer=shapes.PersonData,
        body=shapes.PersonAsked,
        refuses=(400, 404, 415, 422),
    ),
    ApiOperation(
        *("delete_person", "POST", "/persons/deletion", "Delete what is kept of one telephone number"),
        answer=shapes.PersonDeleted,
        body=shapes.PersonAsked,
        refuses=(400, 404, 409, 415, 422),
    ),
    ApiOperation("stops", "GET", "/stops", "What takes no cards for now", shapes.StopsShown),
    ApiOperation(
        *("stop", "POST", "/stops", "Take no cards of a flow, of a bank or on the whole line"),
        answer=shapes.StopsShown,
        body=shapes.StopAsked,
        refuses=(400, 409, 415, 422),
    ),
    ApiOperation(
        *("start", "POST", "/stops/end", "Take cards again"),
        answer=shapes.StopsShown,
        body=shapes.StopNamed,
        refuses=(400, 409, 415),
    ),
    ApiOperation(
        *("keys", "GET", "/keys", "Every key, certificate and secret by name, when it ends, and what is alarming"),
        answer=shapes.KeysShown,
        refuses=(404, 409),
    ),
    ApiOperation("flows", "GET", "/flows", "Each flow with the version that is live", flow_shapes.FlowsShown),
    ApiOperation(
        *("flow_versions", "GET", "/flows/{flow}/versions", "The versions of a flow, the latest first"),
        answer=flow_shapes.VersionsShown,
        refuses=(404,),
    ),
    ApiOperation(
        *("flow_version", "GET", "/flows/{flow}/versions/{number}", "A version's source, and what check finds in it"),
        answer=flow_shapes.VersionSource,
        refuses=(404,),
    ),
    ApiOperation(
        *(
            "roll_back",
            "POST",
            "/flows/{flow}/rollback",
            "Let an earlier version answer new calls again; put on record",
        ),
        answer=flow_shapes.FlowWishTaken,
        body=flow_shapes.RollbackAsked,
        status=202,
        once=True,
        looks_at="live_number_of",
        refuses=(400, 404, 409, 415, 422),
    ),
    ApiOperation(
        *("flow_requests", "GET", "/flow-requests", "What waits for a second author, the oldest first"),
        answer=flow_shapes.FlowRequestsShown,
    ),
    ApiOperation(
        *("flow_request", "GET", "/flow-requests/{change}", "All that would change, and what check finds in it"),
        answer=flow_shapes.FlowRequestStory,
        refuses=(404,),
    ),
    ApiOperation(
        *("decide_flow", "POST", "/flow-requests/{change}/decision", "Allow or refuse what another author asked for"),
        answer=flow_shapes.FlowWishTaken,
        body=shapes.SecondWord,
        status=202,
        once=True,
        looks_at="status_of_change",
        refuses=(400, 404, 409, 415, 422),
    ),
    ApiOperation(
        *(
            "users",
            "GET",
            "/users",
            "Who may sign in, their role, whether two factors are set up, and whether they are off",
        ),
        answer=shapes.UsersShown,
    ),
    ApiOperation(
        *("audit", "GET", "/audit", "The audit trail, the latest first, two hundred at a time"),
        answer=shapes.AuditPage,
        query=shapes.AuditQuery,
        refuses=(400,),
    ),
    ApiOperation(
        *(
            "alerts",
            "GET",
            "/alerts",
            "What is wrong with the line now; with `over=yes` also what was, the latest first",
        ),
        answer=shapes.AlertsShown,
        query=shapes.AlertsQuery,
        refuses=(400,),
    ),
)
