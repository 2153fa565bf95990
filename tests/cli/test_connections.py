"""What is said of connections to PostgreSQL is what the processes are made with."""

import re

from ivr.bank import load_banks
from ivr.cli.cluster_parts import ClusterPlan
from ivr.cli.connections import COMMANDS, connections_of
from ivr.places import SHIPPED
from ivr.settings import load_settings

COUNT = {"web": 2, "forwarder": 2, "trunk": 2, "portal": 1, "console": 1}


def test_the_table_of_the_docs_is_that_of_the_defaults():
    settings = load_settings({})
    each = connections_of(settings, load_banks(SHIPPED / "config" / "banks.yaml", settings.var).values())
    written = (SHIPPED / "docs" / "scaling.md").read_text()
    rows = re.findall(r"^\| (\w+) \| [^|]* \| (\d+) \| (\d+) \| (\d+) \|$", written, re.M)
    assert rows == [(kind, str(each[kind]), str(COUNT[kind]), str(COUNT[kind] * each[kind])) for kind in COUNT]
    total = sum(COUNT[kind] * each[kind] for kind in COUNT)
    assert f"| all | | | | {total} |" in written
    assert f"max_connections = {total + COMMANDS}" in written


def test_a_cluster_lets_in_all_of_its_processes_and_some_commands():
    settings = load_settings({})
    each = connections_of(settings, load_banks(settings.banks, settings.var).values())
    plan = ClusterPlan(2, settings)
    assert plan.connections(["nginx", "kamailio"]) == COMMANDS + sum(COUNT[kind] * each[kind] for kind in COUNT)
    assert plan.connections([]) == COMMANDS + 2 * each["forwarder"] + each["console"] + each["portal"]
