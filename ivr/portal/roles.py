"""Who may do what: one table of permissions by role, one of what each page, button and answer of the API needs. What is in neither is refused."""

from collections.abc import Mapping
from typing import Literal, get_args

Role = Literal["viewer", "support", "finance", "author", "operator", "auditor"]
Permission = Literal[
    "see_payments",
    "see_calls",
    "see_callers",
    "export",
    "refund",
    "see_requests",
    "see_audit",
    "see_users",
    "see_alerts",
    "resend_receipt",
    "see_stops",
    "stop_line",
    "see_flows",
    "publish_flows",
    "see_keys",
    "rotate_keys",
    "see_incidents",
    "export_evidence",
    "export_person",
    "delete_person",
]
Need = Permission | Literal["any"]
"""`any`: of everybody who has signed in."""
ROLES: tuple[Role, ...] = get_args(Role)

MEANINGS: Mapping[Role, str] = {
    "viewer": "sees payments, calls and totals",
    "support": "finds payments, also by a caller's number; sends receipts again",
    "finance": "refunds and voids, a second person's above a limit; exports, also a person's data",
    "author": "writes, tries and publishes flows; sees payments, calls and totals",
    "operator": "keeps the line running: stops and starts it, rotates keys, deletes a person's data; sees users and the audit trail, takes evidence",
    "auditor": "reads everything, changes nothing",
}

PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    "viewer": frozenset({"see_payments", "see_calls"}),
    "support": frozenset({"see_payments", "see_calls", "see_callers", "resend_receipt"}),
    "finance": frozenset(
        {
            *("see_payments", "see_calls", "see_callers", "export", "refund", "resend_receipt", "see_requests"),
            "export_person",
        }
    ),
    "author": frozenset({"see_payments", "see_calls", "see_flows", "publish_flows"}),
    "operator": frozenset(
        {
            *("see_payments", "see_calls", "see_audit", "see_users", "see_alerts"),
            *("see_stops", "stop_line", "see_flows"),
            *("see_keys", "rotate_keys", "see_incidents", "export_evidence"),
            *("export_person", "delete_person"),
        }
    ),
    "auditor": frozenset(
        {
            "export_person",
            *("see_payments", "see_calls", "see_callers", "export"),
            *("see_requests", "see_audit", "see_users", "see_alerts", "see_stops", "see_flows"),
            *("see_keys", "see_incidents", "export_evidence"),
        }
    ),
}

# None: also for whoever has not signed in.
NEEDS: Mapping[str, Need | None] = {
    "portal.static_file": None,
    "portal.show_sign_in": None,
    "portal.sign_in": None,
    "portal.passkey_challenge": None,
    "portal.sign_in_by_passkey": None,
    "portal.show_invitation": None,
    "portal.accept_invitation": None,
    "portal.passkey_offer": None,
    "portal.accept_by_passkey": None,
    "portal.begin_single_sign_on": None,
    "portal.end_single_sign_on": None,
    "portal.single_sign_on_code": None,
    "portal.sign_out": "any",
    "portal.home": "any",
    "portal.payments": "see_payments",
    "portal.payment": "see_payments",
    "portal.days": "see_payments",
    "portal.day": "see_payments",
    "portal.export": "export",
    "portal.modify": "refund",
    "portal.show_caller": "see_callers",
    "portal.resend": "resend_receipt",
    "portal.requests": "see_requests",
    "portal.decide": "refund",
    "portal.audit": "see_audit",
    "portal.users": "see_users",
    "portal.live": "see_calls",
    "portal.live_events": "see_calls",
    "portal.calls": "see_calls",
    "portal.call": "see_calls",
    "portal.drop_off": "see_calls",
    "portal.prompts": "see_calls",
    "portal.stops": "see_stops",
    "portal.stop": "stop_line",
    "portal.start": "stop_line",
    "portal.alerts": "see_alerts",
    "portal.person": "export_person",
    "portal.find_person": "export_person",
    "portal.export_person": "export_person",
    "portal.delete_person": "delete_person",
    "portal.flows": "see_flows",
    "portal.flow": "see_flows",
    "portal.flow_version": "see_flows",
    "portal.flow_diff": "see_flows",
    "portal.flow_request": "see_flows",
    "portal.roll_back": "publish_flows",
    "portal.decide_flow": "publish_flows",
    "portal.draft": "publish_flows",
    "portal.save_draft": "publish_flows",
    "portal.drop_draft": "publish_flows",
    "portal.check_draft": "publish_flows",
    "portal.complete_draft": "publish_flows",
    "portal.try_draft": "publish_flows",
    "portal.publish": "publish_flows",
    "portal.keys": "see_keys",
    "portal.rotate_key": "rotate_keys",
    "portal.incident": "see_incidents",
    "portal.evidence": "export_evidence",
    "api.description": None,
    "api.me": "any",
    "api.search": "see_payments",
    "api.payment": "see_payments",
    "api.caller": "see_callers",
    "api.modify": "refund",
    "api.resend": "resend_receipt",
    "api.requests": "see_requests",
    "api.decide": "refund",
    "api.day": "see_payments",
    "api.movements": "export",
    "api.flows": "see_flows",
    "api.flow_versions": "see_flows",
    "api.flow_version": "see_flows",
    "api.roll_back": "publish_flows",
    "api.flow_requests": "see_flows",
    "api.flow_request": "see_flows",
    "api.decide_flow": "publish_flows",
    "api.keys": "see_keys",
    "api.users": "see_users",
    "api.audit": "see_audit",
    "api.alerts": "see_alerts",
    "api.calls": "see_calls",
    "api.live_calls": "see_calls",
    "api.call": "see_calls",
    "api.find_person": "export_person",
    "api.export_person": "export_person",
    "api.delete_person": "delete_person",
    "api.stops": "see_stops",
    "api.stop": "stop_line",
    "api.start": "stop_line",
}


def may(role: str, permission: Need) -> bool:
    """False for a role that is none."""
    held = PERMISSIONS.get(role)  # type: ignore[call-overload]
    return held is not None and (permission == "any" or permission in held)


def roles_with(permission: Need) -> list[Role]:
    return [role for role in ROLES if may(role, permission)]


def is_within(role: str, other: str) -> bool:
    """Whether `role` may nothing that `other` may not. False for a role that is none."""
    held, most = PERMISSIONS.get(role), PERMISSIONS.get(other)  # type: ignore[call-overload]
    return held is not None and most is not None and held <= most
