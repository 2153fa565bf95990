"""What the API takes and answers about flows: versions, ways back, and what waits for a second author."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, Field

from ivr.portal.api.shapes import SentShape, whole
from ivr.store import FlowChange, FlowRequest

NUMBER_WRITTEN = "a version's number is a whole number, without quotes: 1"
LIVE_WRITTEN = (
    "`live` is the version's number that `GET /flows` said when you looked, without quotes; null where it said null"
)
VersionNumber = Annotated[int, Field(strict=True, gt=0, lt=10**6), BeforeValidator(whole)]


class RollbackAsked(SentShape):
    """`number`: of the version that new calls are to begin on again. `live`: of the one that they begin on as you know it, as `GET /flows`
    has it: where another has become live since, nothing is changed."""

    number: Annotated[VersionNumber, Field(description=NUMBER_WRITTEN)]
    live: Annotated[VersionNumber | None, Field(description=LIVE_WRITTEN)]


# ---- answered


class FlowWishTaken(BaseModel):
    """`live`: the version that new calls begin on now; null where the flow is withdrawn. `waits_as`: the request that a second author
    must allow; null where none must."""

    told: str
    live: int | None
    waits_as: str | None


class FlowRequestShown(BaseModel):
    """`number`: of the version to go back to; null for a publication. `live`: the version that was live when it was asked for; null
    where none was."""

    id: str
    kind: FlowChange
    flow: str
    number: int | None
    live: int | None
    asked_by: str
    asked_at: datetime

    @classmethod
    def of(cls, one: FlowRequest) -> Self:
        wanted = one.wanted
        return cls(
            id=one.id,
            kind=wanted.kind,
            flow=wanted.flow,
            number=wanted.number or None,
            live=wanted.base or None,
            asked_by=wanted.asked_by,
            asked_at=one.asked_at,
        )


class FlowRequestsShown(BaseModel):
    """The oldest first."""

    waiting: list[FlowRequestShown]


class FlowShown(BaseModel):
    """`live`: the version that new calls begin on; null where the flow is withdrawn. `calls`: under way, on all of its versions."""

    name: str
    live: int | None
    versions: int
    calls: int


class FlowsShown(BaseModel):
    flows: list[FlowShown]


class VersionShown(BaseModel):
    """`digest`: SHA-256 of text, prompts and parts."""

    number: int
    is_live: bool
    digest: str
    published_at: datetime
    published_by: str
    calls: int


class VersionsShown(BaseModel):
    """The latest first."""

    versions: list[VersionShown]


class FindingShown(BaseModel):
    """A problem, or advice, as the command `check --format json` has it."""

    code: str
    level: Literal["problem", "advice"]
    file: str
    line: int
    column: int
    message: str
    cure: str


class VersionSource(VersionShown):
    """`files`: by name, such as `pay-a-bill.yaml` and `prompts/en-US.yaml`. `check`: what is found in them now."""

    files: dict[str, str]
    check: list[FindingShown]


class FlowRequestStory(FlowRequestShown):
    """`status`: `waiting`, `allowed` or `refused`. `changes`: all that would change, in words. `files` and `check`: of what would be live."""

    status: str
    changes: list[str]
    files: dict[str, str]
    check: list[FindingShown]
