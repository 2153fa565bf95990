"""What the portal does, for programs: `/api/v1`, by tokens with a role and an end, with the description served beside it.

    operations  the table that routes and description are made of     gate     network, token, role
    shapes      what is taken and answered, as pydantic models        once     idempotency keys
    answers     what each operation does, with those of the line      problems errors (RFC 9457)
                and of flows in `line_answers` and `flow_answers`

It keeps to the table of `ivr.portal.roles` as the pages do, and asks for refunds by the same `Asker`, for flows by the same `Publisher`.
"""

from ivr.portal.api.description import description
from ivr.portal.api.operations import OPERATIONS
from ivr.portal.api.problems import is_of_api, of_fault, of_http
from ivr.portal.api.routes import api

__all__ = ["OPERATIONS", "api", "description", "is_of_api", "of_fault", "of_http"]
