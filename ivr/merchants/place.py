"""Where a merchant stands in an installation of several, and which settings all of them share."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from ivr.merchants.merchants_file import called_number

# In an installation of several merchants: what is of the machine or of the listeners that all share, and is set once for all ...
OF_THE_INSTALLATION = frozenset(
    {
        "environment",
        "port",
        "host",
        "console_host",
        "web_workers",
        "web_threads",
        "web_read_s",
        "portal_port",
        "portal_host",
        "portal_proxies",
        "log_level",
        "log_format",
        "trunk_bind",
        "trunk_advertise",
        "trunk_port",
        "trunk_tls_port",
        "trunk_tls_cert",
        "trunk_tls_key",
        "trunk_tls_client_ca",
        "trunk_srtp",
        "trunk_peers",
        "trunk_user",
        "trunk_password",
        "trunk_called_number",
        "trunk_plus",
        "trunk_rtp_ports",
        "trunk_max_calls",
        "trunk_max_unanswered",
        "trunk_max_minutes",
        "trunk_drain_s",
        "trunk_register",
        "trunk_register_password",
        "trunk_record",
        "audiosocket_port",
    }
)
# ... what is set for all, and a merchant may have its own way with; everything else is each merchant's own, and nobody else's.
UNLESS_ITS_OWN = frozenset(
    {
        "public_url",
        "portal_url",
        "portal_networks",
        "portal_idle_minutes",
        "portal_hours",
        "browser_phone",
        "trunk_voice",
        "console_port",
    }
)
FILES_OF_THE_INSTALLATION = ("trunk_tls_cert", "trunk_tls_key", "trunk_tls_client_ca", "trunk_record")


@dataclass(frozen=True)
class MerchantPlace:
    """Where a merchant stands in an installation of several; of the only one of its line all is empty.

    `mount`: the path below which everything of it is. `numbers`: as they are written in `merchants.yaml`. `others_numbers`: see `Installation`. `environ`: where its banks' secrets
    are looked for, which is not the environment that the process shares with others.
    """

    name: str = ""
    mount: str = ""
    numbers: tuple[str, ...] = ()
    others_numbers: frozenset[str] = frozenset()
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)

    def is_anothers(self, number: str) -> bool:
        return bool(self.others_numbers) and called_number(number) in self.others_numbers
