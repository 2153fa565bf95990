"""A second person's word, about money and about flows alike: who may say it, and whether it has been said before."""

from ivr.errors import RecordError
from ivr.store import FlowRequest, PortalRequest

Request = PortalRequest | FlowRequest


def require_sayable(request: Request, by: str, another: str, *, allows: bool) -> None:
    """RecordError where it cannot be decided by this person, or is no longer to be. `request`: as it stands now; `another`: who could."""
    if allows and request.wanted.asked_by == by:
        raise RecordError(f"whoever asked for it cannot allow it: {another} must")
    if request.status != "waiting":
        raise RecordError(f"that was decided meanwhile, by {request.decided_by}")


def is_said(request: Request | None, by: str, *, allows: bool) -> bool:
    """Whether this is the word that the same person has said before."""
    word = "allowed" if allows else "refused"
    return request is not None and (request.status, request.decided_by) == (word, by)
