"""What rotating each key will do, said before it is done: what still goes to the old one, what is read again, who must be told.

What the line can do by itself it does (`rotation`); for the rest the plan has the exact commands.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ivr.bank import BankSettings, VaultSealed
from ivr.errors import RecordError
from ivr.incidents.line_keys import FINGERPRINT_KEY, PORTAL_KEY, LineKey
from ivr.places import COMMAND
from ivr.settings import Settings

RELOAD = "systemctl reload tonetill-web tonetill-console tonetill-forwarder tonetill-trunk   # or kill -HUP of `up`"
RESTART = "systemctl restart {units}   # or stop `up` and start it again: calls that go on are rows, and go on"
EVERY_NODE = "on every machine of the line"


@dataclass(frozen=True)
class RotationPlan:
    """`by_line`: the line does it itself when it is told to; else `commands` are what somebody types. `has_day`: the new one is
    used from a day on that can be chosen."""

    name: str
    does: str
    stays: str
    reads: str
    tell: str
    commands: tuple[str, ...] = ()
    by_line: bool = False
    has_day: bool = False


@dataclass(frozen=True)
class SecretPlan:
    """Of one in the environment. `get`: where the new one comes from; `units`: who must be started again with it."""

    get: str
    stays: str
    tell: str
    units: str


_STOPS_AT_ONCE = "nothing: the old one is refused as soon as the other side has forgotten it"
_ALL_UNITS = "tonetill.target"
_OWN_SECRETS: Mapping[str, SecretPlan] = {
    "TWILIO_AUTH_TOKEN": SecretPlan(
        "Twilio's console: Account, API keys & tokens: make a secondary token",
        "webhooks that Twilio signs with the old token are refused from the restart on: promote the secondary one right after",
        "Twilio, by promoting it in the console; nobody else",
        _ALL_UNITS,
    ),
    "PAY_CONNECTOR_PASSWORD": SecretPlan(
        "openssl rand -base64 24", _STOPS_AT_ONCE, "Twilio: the Pay Connector's own settings", "tonetill-web"
    ),
    "BILLING_TOKEN": SecretPlan(
        "your billing system",
        _STOPS_AT_ONCE,
        "whoever runs BILLING_URL",
        "tonetill-web tonetill-trunk tonetill-forwarder",
    ),
    "BILLING_SECRET": SecretPlan(
        "echo whsec_$(openssl rand -base64 32)",
        "payments that were not acknowledged yet are signed with the new one when they are sent again",
        "whoever runs BILLING_URL, before the restart: it should take both for a while",
        "tonetill-web tonetill-trunk tonetill-forwarder",
    ),
    "NOTICES_SECRET": SecretPlan(
        "echo whsec_$(openssl rand -base64 32)   # write it before the old one, with a comma: both sign for a while",
        "nothing: with two secrets every notice carries both signatures, until the old one is taken out",
        "whoever runs NOTICES_URL: the new secret, and the day on which the old one goes",
        _ALL_UNITS,
    ),
    "PAY_LINK_KEY": SecretPlan(
        "openssl rand -base64 32",
        "links in texts that went out before cannot be opened any more, unless your page keeps the old key for PAY_LINK_HOURS",
        "whoever runs the page that PAY_LINK leads to, before the restart",
        "tonetill-web tonetill-trunk",
    ),
    "SMTP_URL": SecretPlan(
        "your mail server's administration", "receipts that wait are sent with the new one", "nobody", _ALL_UNITS
    ),
    "DATABASE_URL": SecretPlan(
        "ALTER ROLE ... PASSWORD '...' in PostgreSQL",
        "connections that are open stay; new ones need the new password: restart right after",
        "nobody",
        f"{_ALL_UNITS} tonetill-portal tonetill-trunk",
    ),
    "OIDC_CLIENT_SECRET": SecretPlan(
        "your identity provider: a second secret of this client",
        "people who are signed in stay so",
        "nobody, where the provider keeps both for a while",
        "tonetill-portal",
    ),
    "TRUNK_PASSWORD": SecretPlan(
        "openssl rand -base64 24",
        "peers that give the old one are refused at their next call",
        "every SIP peer that registers or calls with it",
        "tonetill-trunk",
    ),
    "TRUNK_REGISTER_PASSWORD": SecretPlan(
        "your SIP provider", "calls that go on stay; no call comes in while the two differ", "nobody", "tonetill-trunk"
    ),
}


def plan_of(name: str, keys: list[LineKey], settings: Settings, banks: Mapping[str, BankSettings]) -> RotationPlan:
    """RecordError where the line has no key of that name."""
    known = [key for key in keys if key.name == name]
    if not known:
        raise RecordError(f"there is no key '{name[:60]}': `{COMMAND} keys list` names them")
    bank, _, kind = name.partition(" ")
    if bank in banks and kind:
        return _of_bank(bank, kind, banks[bank], settings, known)
    if name == "trunk certificate":
        return _of_trunk(settings)
    if name.startswith("token "):
        return _of_token(name.removeprefix("token "), known[0])
    if name in OWN_FILES:
        return OWN_FILES[name]
    return _of_secret(name, known[0], settings)


def is_rotated_by_line(bank: BankSettings, settings: Settings) -> bool:
    """The forwarder's own pairs, and in development those of the simulator."""
    is_simulated = settings.environment == "development" and (settings.var / "bank" / "sealing.key").exists()
    return isinstance(bank, VaultSealed) or is_simulated


def _of_bank(name: str, kind: str, bank: BankSettings, settings: Settings, known: list[LineKey]) -> RotationPlan:
    if kind == "sealing":
        by_line = is_rotated_by_line(bank, settings)
        whose = "the forwarder's own pair" if isinstance(bank, VaultSealed) else "the bank's key"
        kept = next((key.kid[:16] for key in known if key.state == "seals"), "the old one")
        add = f"{COMMAND} keys add {name} keys/THE-NEW-ONE.crt --from DAY"
        return RotationPlan(
            f"{name} sealing",
            f"Makes a new key ({whose}), lists it in {settings.banks} beside the old one, and seals to it from the chosen day (UTC) on."
            if by_line
            else f"The bank makes its key. Ask for its next one, copy it below {settings.var}, and list it from a day on.",
            f"Cards that were sealed before that day stay sealed to {kept}, and go through; what was sealed is opened with the "
            "old key until 30 days after its last day. Charges under way go on.",
            f"Every process, by SIGHUP before that day, {EVERY_NODE}: {RELOAD.split('   ')[0]}",
            "nobody"
            if isinstance(bank, VaultSealed)
            else "the bank: which key, and from which day; it must open the old one too",
            (RELOAD,) if by_line else (add, RELOAD),
            by_line,
            has_day=True,
        )
    if kind == "certificate":
        lines = f"client_certificates of {name} in {settings.banks}: - {{file: keys/{name}-next.crt, key: keys/{name}-next.key}}"
        return RotationPlan(
            f"{name} certificate",
            "The bank issues it. Make a request with a key of its own, have the bank sign it, and list both beside the old pair.",
            "Connections that are open stay on the old certificate until they end; an ISO 8583 host sees the new one at the next connection.",
            f"Every process, by SIGHUP, {EVERY_NODE}.",
            "the bank: it must sign the request, and trust both certificates for a while",
            (
                f"openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN={settings.merchant} "
                f"-keyout {settings.var}/keys/{name}-next.key -out {name}-next.csr",
                f"# the bank's answer goes to {settings.var}/keys/{name}-next.crt; then write below {lines}",
                RELOAD,
            ),
        )
    return RotationPlan(
        f"{name} authority",
        "The bank's own. Add the next authority to the file that `ca` names, before the bank changes to it: all in the file are trusted.",
        "Connections that are open stay. The old authority is trusted until it is taken out of the file.",
        f"Every process, by SIGHUP, {EVERY_NODE}.",
        "nobody; ask the bank for the day on which it changes",
        (f"cat next-ca.crt >> {known[0].where}", RELOAD, f"{COMMAND} bank check {name}"),
    )


def _of_trunk(settings: Settings) -> RotationPlan:
    return RotationPlan(
        "trunk certificate",
        "Issued by your certificate authority. Write the new chain and key over the old files.",
        "Calls that go on stay on their connections.",
        "The trunk, by a restart: it lets calls in progress go on for TRUNK_DRAIN_S.",
        "SIP peers that have pinned it",
        (
            f"cp new-chain.pem {settings.trunk_tls_cert}",
            f"cp new-key.pem {settings.trunk_tls_key}",
            RESTART.format(units="tonetill-trunk"),
        ),
    )


def _of_token(key: str, known: LineKey) -> RotationPlan:
    return RotationPlan(
        known.name,
        "Tokens are replaced one by one: make another, give it to the program, then revoke this one.",
        "Requests with the old token are answered until it is revoked, and refused from then on.",
        "Nothing.",
        "whoever runs the program",
        (f"{COMMAND} token add NAME --for USER --role ROLE", f"{COMMAND} token revoke {key}"),
    )


def _of_secret(name: str, known: LineKey, settings: Settings) -> RotationPlan:
    plan = _OWN_SECRETS.get(name) or SecretPlan(
        "the bank's own pages: a second key where it keeps two",
        "requests that are under way end with the old one; what the bank sends by itself is checked with the new one from the restart on",
        "the bank, where it has to be told to forget the old one",
        "tonetill-web tonetill-forwarder",
    )
    is_made = "made for development" in known.what
    change = (
        (f"rm {known.where}   # the next start makes another",)
        if is_made
        else (plan.get, f"{name}=... in /etc/tonetill.env")
    )
    return RotationPlan(
        name,
        f"It is a setting of the environment ({name}), which the line never writes.",
        plan.stays,
        f"By a restart, {EVERY_NODE}: {plan.units}.",
        plan.tell,
        (*change, RESTART.format(units=plan.units)),
    )


OWN_FILES: Mapping[str, RotationPlan] = {
    "audit": RotationPlan(
        "audit",
        "Signs a last head of the audit trail with the old key, makes a new pair, and keeps the old public half in the same file.",
        "Heads that were signed before stay good: audit_public.pem has the public halves of both, the newest first.",
        "Nothing: each `audit head` reads it.",
        "whoever checks the trail elsewhere: give them the new audit_public.pem. If the old key may be known to somebody, tell them to "
        "take heads after today by the new one alone.",
        (f"{COMMAND} audit verify", "copy VAR/keys/audit_public.pem to whoever checks"),
        by_line=True,
    ),
    "portal": RotationPlan(
        "portal",
        "Makes a new key and encrypts the secrets of everybody's authenticator app with it, at once.",
        "Invitations and sign-ins that are half done go on with the old one, which stays in the file for opening until the next rotation. "
        "Backups of the database that were made before can be opened with the old key.",
        f"The portal reads it by itself. With several machines copy {PORTAL_KEY} to each at once: until then nobody signs in there with a password.",
        "nobody. If the old key may be known to somebody who has a copy of the database, reset everybody who has a password.",
        (
            f"{COMMAND} user list",
            f"{COMMAND} user reset NAME   # only if somebody may have both the key and the database",
        ),
        by_line=True,
    ),
    "fingerprint": RotationPlan(
        "fingerprint",
        "The line does not do it: by this key it knows a card or a caller again, and a new one forgets all of them at once.",
        "Limits of attempts and of guesses at a PIN, and counts of cards that begin alike, begin anew for everybody; searches, `data export` and `data delete` by a caller's number find nothing from before, until "
        f"`{COMMAND} data keys --renew` has sealed the numbers with a new key of their own. What callers agreed to have remembered is not found again. Money and kept cards are not touched.",
        f"By a restart of all processes, {EVERY_NODE}, with the same file.",
        "nobody. Do it only if the key and a copy of the database may both be known to somebody, who could then try out card numbers.",
        (
            f"{COMMAND} stop line --reason 'key rotation'",
            f"openssl rand -out VAR/keys/{FINGERPRINT_KEY} 32   # and copy it to every machine",
            RESTART.format(units=f"{_ALL_UNITS} tonetill-portal tonetill-trunk"),
            f"{COMMAND} start line",
        ),
    ),
    "numbers": RotationPlan(
        "numbers",
        "The line does not do it: on several machines each must be able to open with the new key before any seals with it.",
        f"Every number that was sealed before, until `{COMMAND} data keys --renew` has sealed it with the new one. Backups of the database are opened with the old key.",
        f"By a restart of all processes, {EVERY_NODE}, after each of the first two steps.",
        "nobody. Keep a copy of the file where the database's backups are not: without it no number can be read.",
        (
            f"{COMMAND} data keys --add   # on one machine: the new key opens; copy VAR/keys/numbers.key to every other one",
            RESTART.format(units=f"{_ALL_UNITS} tonetill-portal tonetill-trunk"),
            f"{COMMAND} data keys --use   # on every machine: the new key seals; and restart as before",
            f"{COMMAND} data keys --renew   # once",
            f"{COMMAND} data keys --drop KEY   # on every machine, and restart as before",
        ),
    ),
}
