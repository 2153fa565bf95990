"""Texts that a step sends to the caller."""

from ivr.core.actions import SendSms
from ivr.flow.talk.turn import Turn


def send_sms(turn: Turn, template: str) -> Turn:
    """`template`: its words are the prompt `<template>_sms`."""
    return turn.do(SendSms(template, turn.phrase(f"{template}_sms")))
