"""What a cluster on one machine consists of: ports and commands of its nodes, files of nginx and Kamailio."""

import os
import shlex
import shutil
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ivr.bank import load_banks
from ivr.bank.certificates import Issuer, issue
from ivr.bank.dev_keys import make_private_folder, new_tls_key, pem, private_pem, replace
from ivr.cli.connections import COMMANDS, connections_of
from ivr.cli.own_postgresql import find_program
from ivr.cli.ports import Port
from ivr.places import SHIPPED
from ivr.settings import Settings

FIRST_WEB, FIRST_TRUNK, TRUNK_TLS, DATABASE = 10, 10, 1, 11  # above PORT, TRUNK_PORT, TRUNK_PORT, PORT's web nodes
RTP_PORTS = 128  # of each trunk node
INSTALL = {
    "nginx": "nginx: apt-get install nginx-light, or --without nginx",
    "kamailio": "kamailio: apt-get install kamailio kamailio-tls-modules, or --without kamailio",
    "postgres": "PostgreSQL: apt-get install postgresql, or name a running one in DATABASE_URL (postgresql+psycopg://...)",
}


def missing_programs(fronts: Collection[str], needs_database: bool) -> list[str]:
    """A line for each program that is not there, with the command that brings it."""
    wanted = [*fronts, *(["postgres"] if needs_database else [])]
    return [f"not installed: {INSTALL[program]}" for program in wanted if find_program(program) is None]


@dataclass(frozen=True)
class ClusterPlan:
    """`count` nodes of each kind, at ports that follow those in the settings."""

    count: int
    settings: Settings

    @property
    def web_ports(self) -> list[int]:
        return [self.settings.port + FIRST_WEB + number for number in range(self.count)]

    @property
    def trunk_ports(self) -> list[int]:
        return [self.settings.trunk_port + FIRST_TRUNK + number for number in range(self.count)]

    @property
    def tls_port(self) -> int:
        return self.settings.trunk_port + TRUNK_TLS

    @property
    def database_port(self) -> int:
        return self.settings.port + FIRST_WEB + self.count

    def rtp_ports(self, number: int) -> tuple[int, int]:
        first = int(self.settings.trunk_rtp_ports.partition("-")[0]) + number * RTP_PORTS
        return first, first + RTP_PORTS - 1

    def names(self, fronts: Collection[str]) -> list[str]:
        return [*self.processes(fronts), *fronts]

    def processes(self, fronts: Collection[str]) -> dict[str, str]:
        """Command by name: nodes that a front stands before are left out with it."""
        python, commands = shlex.quote(sys.executable), {}
        for number in range(self.count):
            if "nginx" in fronts:
                commands[f"web{number + 1}"] = f"env PORT={self.web_ports[number]} {python} -m ivr web"
            commands[f"forwarder{number + 1}"] = f"{python} -m ivr.forwarder"
            if "kamailio" in fronts:
                first, last = self.rtp_ports(number)
                own = f"env TRUNK_PORT={self.trunk_ports[number]} TRUNK_TLS_PORT=0 TRUNK_RTP_PORTS={first}-{last}"
                commands[f"trunk{number + 1}"] = f"{own} {python} -m ivr trunk --quiet"
        others = {"bank": "ivr.bank.simulator", "console": "ivr console", "portal": "ivr portal"}
        return {**commands, **{name: f"{python} -m {module}" for name, module in others.items()}}

    def connections(self, fronts: Collection[str]) -> int:
        """What PostgreSQL must let in, with commands beside it (docs/scaling.md, Connections)."""
        each = connections_of(self.settings, load_banks(self.settings.banks, self.settings.var).values())
        return COMMANDS + sum(each.get(name.rstrip("0123456789"), 0) for name in self.processes(fronts))

    def ports(self, fronts: Collection[str]) -> Iterator[Port]:
        settings = self.settings
        yield Port(settings.console_host, settings.console_port, "tcp", "CONSOLE_PORT")
        yield Port(settings.portal_host, settings.portal_port, "tcp", "PORTAL_PORT")
        if "nginx" in fronts:
            for number in (settings.port, *self.web_ports):
                yield Port("127.0.0.1", number, "tcp", "PORT")
        if "kamailio" in fronts:
            yield Port("127.0.0.1", self.tls_port, "tcp", "TRUNK_PORT")
            for number in (settings.trunk_port, *self.trunk_ports):
                yield Port("127.0.0.1", number, "udp", "TRUNK_PORT")
            for node in range(self.count):
                first, last = self.rtp_ports(node)
                for number in range(first, last + 1):
                    yield Port("127.0.0.1", number, "udp", "TRUNK_RTP_PORTS")


def nginx_command(folder: Path, plan: ClusterPlan) -> str:
    """Writes its configuration. As root its workers would be another user, who may not read the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    # A node is tried again a second after it was found away: that is when it has been started anew.
    nodes = "\n".join(
        f"        server 127.0.0.1:{port} max_fails=1 fail_timeout=1s;" for port in plan.web_ports
    )  # fmt: skip
    text = (SHIPPED / "deploy" / "cluster" / "nginx.conf").read_text()
    filled = {
        "@USER@": "user root;" if os.geteuid() == 0 else "",
        "@FOLDER@": str(folder.resolve()),
        "@PORT@": str(plan.settings.port),
        "@NODES@": nodes,
    }
    for mark, value in filled.items():
        text = text.replace(mark, value)
    (folder / "nginx.conf").write_text(text)
    return shlex.join([str(find_program("nginx")), "-p", str(folder.resolve()), "-e", "error.log", "-c", "nginx.conf"])


def kamailio_command(folder: Path, plan: ClusterPlan) -> str:
    """deploy/kamailio as it stands, with the lists of this machine and a certificate of its own for TLS."""
    folder = folder.resolve()
    shutil.copytree(SHIPPED / "deploy" / "kamailio", folder, dirs_exist_ok=True)
    make_private_folder(folder)
    key = new_tls_key()
    certificate = issue("localhost", "server", key, Issuer("Tonetill cluster", key), datetime.now(UTC))
    replace(folder / "key.pem", private_pem(key))
    replace(folder / "certificate.pem", pem(certificate))
    site = [
        f"#!define INSIDE udp:127.0.0.1:{plan.settings.trunk_port}",
        f"#!define OUTSIDE tls:127.0.0.1:{plan.tls_port}",
        f'#!define FOLDER "{folder}/"',
    ]
    (folder / "site.cfg").write_text("\n".join([*site, ""]))
    nodes = [f"1 sip:127.0.0.1:{port} 0 0 duid={port}" for port in plan.trunk_ports]
    (folder / "dispatcher.list").write_text("\n".join([*nodes, ""]))
    quiet = (folder / "kamailio.cfg").read_text().replace("debug=2", "debug=0")  # warnings and worse
    (folder / "kamailio.cfg").write_text(quiet)
    tls = (folder / "tls.cfg").read_text()
    (folder / "tls.cfg").write_text(tls.replace("/etc/kamailio/tonetill", str(folder)))
    runs = [str(find_program("kamailio")), "-DD", "-E", "-m", "64", "-M", "8"]
    return shlex.join([*runs, "-f", str(folder / "kamailio.cfg"), "-Y", str(folder), "-w", str(folder)])
