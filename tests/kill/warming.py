"""Calls before the first life: what a process learns once (statements, patterns, templates) its children then know."""

from dataclasses import replace
from uuid import uuid4

from ivr.testing.bank import ScriptedBank
from tests.kill.lives import LIVES, Case, set_right
from tests.kill.world import World
from tests.web.process_memory import card_number

NUMBER = 900_000


def warm_up(world: World) -> None:
    """One call for each process, at a bank that is a stand-in: a connection to the real one could not be shared."""
    bank = ScriptedBank()
    at_stand_in = replace(world.bench.forwarder, banks=dict.fromkeys(world.bench.forwarder.banks, bank))
    warm = replace(world, bench=replace(world.bench, forwarder=at_stand_in))
    warm.__dict__["web"] = world.web  # it is the one that is to be warm
    for number, (process, manner) in enumerate([("web", "waits"), ("line", "waits"), ("sweeper", "hangs up")], NUMBER):
        case = Case(f"CA{uuid4().hex}", number, f"{10_000_000 + number}", card_number(number), 4250, manner)
        world.owe(case.account, case.minor)
        LIVES[process](warm, case, lambda _case: None)
        set_right(warm, case, lambda _case: None)
    world.let_go()
