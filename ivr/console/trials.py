"""What runs and what to try next, in words; `make run` prints the same as the page shows."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from ivr.console.rows import Process, Trial
from ivr.places import COMMAND
from ivr.settings import Settings

TEST_ACCOUNT, TEST_CARD = "12345678", "4111111111111111"


def processes(settings: Settings, running: Collection[str], waiting: Mapping[str, int]) -> list[Process]:
    """`running`: names from the Procfile; `waiting`: the outbox's depth by kind."""
    jobs = sum(waiting.values())
    known = {
        "web": Process("web", address(settings), "answers the webhooks that Twilio calls"),
        "console": Process("console", console_address(settings), "this page, and /metrics; this machine only"),
        "forwarder": Process("forwarder", "", f"takes payments to the bank; {jobs or 'nothing'} waiting"),
        "portal": Process("portal", f"{settings.portal_address}/", "people sign in: payments, refunds, live calls"),
        "trunk": Process("trunk", sip_address(settings), "answers SIP calls"),
        "bank": Process("bank", "", "a bank simulator, for development only"),
    }
    return [known.get(name, Process(name, "", "")) for name in running]


def usual_first(settings: Settings, flows: Iterable[str]) -> list[str]:
    """The flow that a telephone number leads to is the one to try first."""
    usual = settings.trunk_flows.partition(",")[0].partition("=")[2].strip()
    return sorted(flows, key=lambda name: (name != usual, name))


def trials(settings: Settings, running: Collection[str], flows: Sequence[str]) -> list[Trial]:
    flows = usual_first(settings, flows)
    flow = flows[0] if flows else "pay-a-bill"
    merchant = settings.place.name
    command, file = (f"{COMMAND} --merchant {merchant}", flow) if merchant else (COMMAND, f"flows/{flow}.yaml")
    found = [
        Trial(
            "A call by webhooks, in a terminal", f"{command} simulate --via {address(settings)}{settings.place.mount}"
        ),
        Trial("The same without any server", f"{command} simulate {file}"),
    ]
    if "trunk" in running and (settings.place.numbers or not settings.place.name):
        sip = sip_address(settings)
        found += [
            Trial("A call by SIP, from any softphone", sip),
            Trial("The same from a terminal", f'{command} ring {sip} --keys "{keys_of(settings)}"'),
        ]
    found += [Trial(f"Twilio's webhook for {name}", webhook(settings, name)) for name in flows or [flow]]
    if "portal" in running:
        found += [
            Trial("The portal, where people sign in", f"{settings.portal_address}/"),
            Trial("Inviting somebody to it", f"{command} user add NAME --role operator"),
        ]
    if settings.environment == "development":
        found.append(
            Trial("What to key in", f"account {TEST_ACCOUNT}; card {TEST_CARD}, any expiry to come and any code")
        )
    return found


def keys_of(settings: Settings) -> str:
    """A whole payment in development; elsewhere only the language, for nobody has a test account there."""
    return f"1 {TEST_ACCOUNT}# 1 {TEST_CARD}# 1230 123 94105 1 #" if settings.environment == "development" else "1"


def address(settings: Settings) -> str:
    return f"http://{settings.host}:{settings.port}"


def console_address(settings: Settings) -> str:
    return f"http://{settings.console_host}:{settings.console_port}"


def sip_address(settings: Settings) -> str:
    called = next(iter(settings.place.numbers), "pay")
    return f"sip:{called}@{settings.trunk_advertise or settings.trunk_bind}:{settings.trunk_port}"


def webhook(settings: Settings, flow: str) -> str:
    return f"{settings.base_url}{settings.place.mount}/twilio/voice/{flow}"
