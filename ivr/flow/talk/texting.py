"""Texts that a step sends to the caller."""

from ivr.core.actions import SendSms
from ivr.flow.talk.turn import Turn


def send_sms(turn: Turn, template: str, *, has_link: bool = False) -> Turn:
    """`template`: its words are the prompt `<template>_sms`. `has_link`: it leads to where the present bill can be paid."""
    link_to = turn.call.payable if has_link else None
    return turn.do(SendSms(template, turn.phrase(f"{template}_sms"), link_to=link_to, about=turn.about))
