"""What is wrong with an installation is told with file and line: in `merchants.yaml`, and in what two merchants would share."""

from pathlib import Path

import pytest

from ivr.errors import ConfigError
from ivr.installation import installation_here, read_settings
from ivr.merchants.merchants_file import called_number, read_installation
from ivr.settings import load_settings

TWO = """\
merchants:
  acme:
    folder: acme
    numbers: ["+15550101"]
  bolt:
    folder: bolt
    numbers: ["+15550202"]
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two merchants, as far as settings go."""
    monkeypatch.chdir(tmp_path)
    for name in ("acme", "bolt"):
        (tmp_path / name).mkdir()
        write(tmp_path / name / "tonetill.yaml", 'trunk_flows: "*=pay-a-bill"\n')
    write(tmp_path / "merchants.yaml", TWO)
    return tmp_path


def write(file: Path, text: str, mode: int = 0o600) -> None:
    file.write_text(text)
    file.chmod(mode)


def problems(home: Path, **environ: str) -> str:
    with pytest.raises(ConfigError) as refused:
        read_settings(read_installation(home), environ).require_good()
    return str(refused.value)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (('"+15550202"', '"+15550101"'), "merchants.yaml:7:15: bolt: the number +15550101 is acme's already"),
        (('"+15550202"', '"1-555-0101"'), "merchants.yaml:7:15: bolt: the number 1-555-0101 is acme's already"),
        (('"+15550202"', '"+1555-01#01", "155501#01"'), "bolt: the number 155501#01 is bolt's already"),
        (('"+15550202"', '"*"'), "merchants.yaml:7:15: bolt: this is no called number"),
        (("folder: bolt", "folder: acme"), "merchants.yaml:6:5: bolt: the folder acme is acme's already"),
        (("folder: bolt", "folder: nowhere"), "merchants.yaml:6:5: bolt: there is no tonetill.yaml in nowhere"),
        (("folder: bolt", "fodler: bolt"), "merchants.yaml:5:3: bolt: 'folder' is missing"),
        (("folder: bolt", "folder: bolt\n    nubmers: []"), "unknown key 'nubmers' (did you mean 'numbers'?)"),
        (("  bolt:", "  Bolt Power:"), "merchants.yaml:5:3: 'Bolt Power' cannot be a merchant's name"),
        (("  bolt:", "  acme:"), "'acme' is there twice"),
    ],
)
def test_a_wrong_line_of_the_file_is_told_with_its_place(home: Path, change: tuple[str, str], told: str):
    write(home / "merchants.yaml", TWO.replace(*change))
    assert told in problems(home)


def test_a_file_of_something_else_is_no_installation_of_nobody(home: Path):
    for text in ("acme\n", "- acme\n"):
        write(home / "merchants.yaml", text)
        assert "merchants.yaml:1:1: expected merchants, each by its name" in problems(home)


def test_a_folder_within_anothers_is_refused(home: Path):
    (home / "acme" / "inner").mkdir()
    write(home / "acme" / "inner" / "tonetill.yaml", "port: 8000")
    write(home / "merchants.yaml", TWO.replace("folder: bolt", "folder: acme/inner"))
    assert "lies within the other" in problems(home)


def test_the_installations_own_folder_is_no_merchants(home: Path):
    write(home / "tonetill.yaml", 'port: "8000"\n')
    write(home / "merchants.yaml", TWO.replace("folder: bolt", "folder: ."))
    assert "this is the installation's own folder" in problems(home)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("sqlite:///{home}/shared.db", "sqlite:///{home}/acme/../shared.db"),
        ("postgresql+psycopg://a:x@127.0.0.1/books", "postgresql+psycopg://b:y@127.0.1.1/%62ooks"),
        ("postgresql+psycopg://a:x@127.0.0.1/books", "postgresql+psycopg://a:x@/books?host=/var/run/postgresql"),
        ("postgresql+psycopg://a:x@127.0.0.1/books", "postgresql+psycopg://a:x@127.0.0.1/other?dbname=books"),
        ("postgresql+psycopg://a:x@127.0.0.1/books", "postgresql+psycopg://books:x@127.0.0.1"),
        ("postgresql+psycopg://a:x@192.0.2.7/books", "postgresql+psycopg://a:x@db/books?hostaddr=192.0.2.7"),
        ("postgresql+psycopg://a:x@localhost/books", "postgresql+psycopg://b:y@127.0.0.1:5432/books"),
        ("postgresql+psycopg://a:x@db/books", "postgresql+psycopg://a:x@db/books?options=-csearch_path%3Dbolt"),
    ],
)
def test_one_database_is_not_two_merchants(home: Path, one: str, other: str):
    write(home / "acme" / ".env", f"DATABASE_URL={one.format(home=home)}\n")
    write(home / "bolt" / ".env", f"# ours\n\nDATABASE_URL={other.format(home=home)}\n")
    told = problems(home)
    assert told.startswith("bolt/.env:3: DATABASE_URL: this is the database of acme too")
    assert "x@" not in told


def test_two_databases_of_one_server_are_two(home: Path):
    write(home / "acme" / ".env", "DATABASE_URL=postgresql+psycopg://a:x@localhost/acme\n")
    write(home / "bolt" / ".env", "DATABASE_URL=postgresql+psycopg://a:x@localhost/bolt\n")
    read_settings(read_installation(home), {}).require_good()


def test_a_folder_of_keys_and_a_merchant_id_are_one_merchants_alone(home: Path):
    for name in ("acme", "bolt"):
        write(home / name / "tonetill.yaml", f'trunk_flows: "*=pay-a-bill"\nvar: {home}/keys\nmerchant: m-1\n')
    told = problems(home)
    assert "bolt/tonetill.yaml:2:1: this is the folder of acme's keys too" in told
    assert "bolt/tonetill.yaml:3:1: m-1 is what acme is called at its bank too" in told


def test_a_setting_that_all_share_is_not_one_merchants(home: Path):
    write(home / "bolt" / "tonetill.yaml", 'port: "9000"\n')
    write(home / "acme" / ".env", "TRUNK_PASSWORD=x\n")
    told = problems(home)
    assert "bolt/tonetill.yaml:1:1: port is the same for all merchants: set it in tonetill.yaml" in told
    assert "acme/.env:1: TRUNK_PASSWORD: trunk_password is the same for all merchants" in told


def test_a_number_that_is_not_in_the_file_leads_to_no_merchant(home: Path):
    write(home / "bolt" / "tonetill.yaml", "trunk_flows: +15550101=pay-a-bill\n")
    assert "bolt/tonetill.yaml:1:1: +15550101 is none of this merchant's numbers in merchants.yaml" in problems(home)


def test_a_project_that_says_no_trunk_flows_hears_what_to_write_and_where(home: Path):
    write(home / "bolt" / "tonetill.yaml", "merchant: bolt\n")
    assert problems(home) == (
        'bolt/tonetill.yaml: trunk_flows is not set: write trunk_flows: "*=FLOW", '
        "the flow that answers all of its numbers in merchants.yaml"
    )


def test_secrets_that_others_can_read_are_refused(home: Path):
    write(home / "bolt" / ".env", "STRIPE_API_KEY=sk_live_1\n", 0o644)
    told = problems(home)
    assert "bolt/.env: others on this machine can read it: chmod 600" in told
    assert "sk_live" not in told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("A=1\nA=2\n", "bolt/.env:2: A is there twice"),
        ("sk_live\n", "bolt/.env:1: expected NAME=value"),
        ("A='1\n", "the quote"),
    ],
)
def test_a_line_of_secrets_that_is_wrong_is_told_without_what_is_in_it(home: Path, text: str, told: str):
    write(home / "bolt" / ".env", text)
    assert told in problems(home)
    assert "sk_live" not in problems(home)


def test_the_environment_of_the_process_is_no_merchants_own(home: Path):
    environ = {"DATABASE_URL": "sqlite:////tmp/everybodys.db", "STRIPE_API_KEY": "sk_live_1", "PORT": "8123"}
    write(home / "bolt" / ".env", 'export STRIPE_API_KEY="sk_live_2"\n')
    merchants = read_settings(read_installation(home), environ).merchants
    assert merchants["acme"].database_url == f"sqlite:///{home}/acme/var/tonetill.db"
    assert merchants["acme"].port == merchants["bolt"].port == 8123
    assert "STRIPE_API_KEY" not in merchants["acme"].place.environ
    assert merchants["bolt"].place.environ["STRIPE_API_KEY"] == "sk_live_2"
    assert merchants["bolt"].merchant == "bolt"


def test_what_is_for_all_comes_from_the_installation_and_its_files_are_beside_it(home: Path):
    write(home / "tonetill.yaml", "public_url: https://pay.example.com\ntrunk_record: recordings\nmerchant: nobody\n")
    write(home / "bolt" / "tonetill.yaml", 'public_url: https://bolt.example.com\ntrunk_flows: "*=pay-a-bill"\n')
    merchants = read_settings(read_installation(home), {}).merchants
    assert merchants["acme"].base_url == "https://pay.example.com"
    assert merchants["bolt"].base_url == "https://bolt.example.com"
    assert merchants["acme"].trunk_record == str(home / "recordings")
    assert merchants["acme"].merchant == "acme"


def test_a_merchant_with_a_problem_leaves_the_others(home: Path):
    write(home / "bolt" / "tonetill.yaml", "alert_cards: many\n")
    found = read_settings(read_installation(home), {})
    assert list(found.merchants) == ["acme"]
    assert "bolt/tonetill.yaml:1:1: alert_cards:" in found.problems["bolt"][0]


def test_whose_settings_are_meant_is_said_or_is_where_one_stands(home: Path):
    here = {"TONETILL_PROJECT": str(home)}
    assert load_settings({**here, "TONETILL_MERCHANT": "bolt"}).place.name == "bolt"
    assert load_settings({"TONETILL_PROJECT": str(home / "acme")}).place.name == "acme"
    assert load_settings({"TONETILL_PROJECT": str(home / "acme"), "TONETILL_MERCHANT": "bolt"}).place.name == "bolt"
    with pytest.raises(ConfigError, match=r"which merchant.*acme, bolt"):
        load_settings(here)
    with pytest.raises(ConfigError, match=r"no merchant 'blot'.*bolt"):
        load_settings({**here, "TONETILL_MERCHANT": "blot"})


def test_a_process_for_one_of_them_has_no_other(home: Path):
    for environ in (
        {"TONETILL_PROJECT": str(home), "TONETILL_MERCHANT": "bolt"},
        {"TONETILL_PROJECT": str(home / "bolt")},
    ):
        found = installation_here(environ)
        assert found is not None
        assert list(found.merchants) == ["bolt"]


def test_a_line_without_the_file_is_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write(tmp_path / "tonetill.yaml", 'port: "9000"\n')
    environ = {"TONETILL_PROJECT": str(tmp_path), "MERCHANT": "m-2"}
    assert installation_here(environ) is None
    settings = load_settings(environ)
    assert (settings.place.name, settings.place.mount, settings.merchant) == ("", "", "m-2")
    assert not settings.place.is_anothers("+15550101")
    with pytest.raises(ConfigError, match=r"no merchants\.yaml"):
        load_settings({**environ, "TONETILL_MERCHANT": "acme"})


@pytest.mark.parametrize(
    "written",
    [
        "+1 (555) 0101",
        "15550101",
        "sip:+15550101@example.com;user=phone",
        "+1.555.0101",
        "tel:+15550101",
        "sip:%2B1-555-0101@example.com",
    ],
)
def test_a_number_has_one_spelling(written: str):
    assert called_number(written) == "15550101"
