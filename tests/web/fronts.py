"""The documented proxies as they are installed, over the samples in deploy/: only names, ports and folders are changed."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from ivr.bank.certificates import Issuer, issue
from ivr.places import SHIPPED as ROOT
from tests.patience import PATIENCE_S
from tests.web.servers import end, free_port, until

INSTALL = "apt-get install nginx caddy"
FALLBACK = (ROOT / "deploy" / "twilio" / "fallback.xml").read_bytes()


@contextmanager
def nginx(folder: Path, upstream: int) -> Iterator[str]:
    """Its https:// address. As root its workers would be www-data, which may not read a test's folder."""
    port = free_port()
    changed = changed_sample(
        ROOT / "deploy" / "nginx" / "nginx.conf",
        {
            "user www-data;": "user root;" if os.geteuid() == 0 else "",
            "pid /run/nginx.pid;": f"pid {folder}/nginx.pid; daemon off;",
            "/var/log/nginx/": f"{folder}/",
            "http {": f"http {{ client_body_temp_path {folder}/bodies; proxy_temp_path {folder}/proxy;",
            "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
            "127.0.0.1:8000": f"127.0.0.1:{upstream}",
            "/etc/letsencrypt/live/pay.example.com/": f"{folder}/",
            "/etc/nginx/tonetill-fallback.xml": f"{folder}/tonetill-fallback.xml",
        },
    )
    (folder / "nginx.conf").write_text(changed)
    write_certificate(folder)
    program = shutil.which("nginx") or "nginx"
    with front([program, "-p", str(folder), "-e", "error.log", "-c", "nginx.conf"], folder, port) as url:
        yield url


@contextmanager
def caddy(folder: Path, upstream: int) -> Iterator[str]:
    port = free_port()
    changed = changed_sample(
        ROOT / "deploy" / "caddy" / "Caddyfile",
        {
            "{\n\tservers": "{\n\tadmin off\n\tauto_https off\n\tservers",
            "pay.example.com {": f"https://127.0.0.1:{port} {{\n\ttls {folder}/fullchain.pem {folder}/privkey.pem",
            "127.0.0.1:8000": f"127.0.0.1:{upstream}",
            "/etc/caddy": str(folder),
        },
    )
    (folder / "Caddyfile").write_text(changed)
    write_certificate(folder)
    command = ["caddy", "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
    with front(command, folder, port, {"XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}) as url:
        yield url


FRONTS: dict[str, Callable[..., object]] = {"nginx": nginx, "caddy": caddy}


@contextmanager
def front(
    command: list[str],
    folder: Path,
    port: int,
    environment: Mapping[str, str] | None = None,
    scheme: str = "https",
) -> Iterator[str]:
    shutil.copy(ROOT / "deploy" / "twilio" / "fallback.xml", folder / "tonetill-fallback.xml")
    url = f"{scheme}://127.0.0.1:{port}"
    with (folder / "front.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | (environment or {}))
        try:
            until(lambda: process.poll() is not None or listens(url))
            assert process.poll() is None, (folder / "front.log").read_text()
            yield url
        finally:
            end(process)


def changed_sample(file: Path, changes: Mapping[str, str]) -> str:
    """Each change must be needed: a sample that has moved on is not tested by accident."""
    text = file.read_text(encoding="utf-8")
    body = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for old, new in changes.items():
        assert old in body, f"{file.name} has no {old!r}"
        body = body.replace(old, new)
    return body


def write_certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = issue("127.0.0.1", "server", key, Issuer("127.0.0.1", key), datetime.now(UTC))
    (folder / "fullchain.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (folder / "privkey.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def client(url: str) -> httpx.Client:
    """Trusts the test's own certificate; waits as long as a slow machine needs."""
    return httpx.Client(base_url=url, verify=False, trust_env=False, timeout=PATIENCE_S)


def listens(url: str) -> bool:
    try:
        with client(url) as http:
            http.get("/nothing")
        return True
    except httpx.TransportError:
        return False
