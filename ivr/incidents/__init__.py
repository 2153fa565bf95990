"""When something goes wrong with a line: which keys it uses and how each is rotated, what to do first, and evidence of what was.

The portal shows it, and the command line does the same. What raises an alert is in `forwarder.alerts`, the kill switch in
`store.stops`, and the practice of all this in `testing.drills`.

Public are the names of `__all__`.
"""

from ivr.incidents.evidence import MOST_DAYS, EvidenceArchive, EvidenceWanted
from ivr.incidents.evidence_check import check_evidence
from ivr.incidents.first_steps import ANY_INCIDENT, FIRST_STEPS, FirstStep, StepsForAlert, what_to_do
from ivr.incidents.key_plans import RotationPlan
from ivr.incidents.line_keys import KeyState, LineKey, alarms_of
from ivr.incidents.rotation import LineKeys, below

__all__ = [
    "ANY_INCIDENT",
    "FIRST_STEPS",
    "MOST_DAYS",
    "EvidenceArchive",
    "EvidenceWanted",
    "FirstStep",
    "KeyState",
    "LineKey",
    "LineKeys",
    "RotationPlan",
    "StepsForAlert",
    "alarms_of",
    "below",
    "check_evidence",
    "what_to_do",
]
