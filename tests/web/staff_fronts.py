"""The documented proxies before the portal, each beside a name of its own that asks for no certificate; and who comes with which certificate."""

import os
import shutil
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from ivr.bank.certificates import Issuer, Use, issue
from ivr.places import SHIPPED as ROOT
from tests.patience import PATIENCE_S
from tests.web.fronts import changed_sample, front, write_certificate
from tests.web.servers import free_port

NAME, NEIGHBOUR = "portal.example.com", "pay.example.com"
ORIGIN = f"https://{NAME}"
NGINX = """
{user} pid {folder}/nginx.pid; daemon off; events {{}}
http {{
    access_log off; client_body_temp_path {folder}/bodies; proxy_temp_path {folder}/proxy;
    server {{
        listen 127.0.0.1:{port} ssl default_server; server_name {neighbour};
        ssl_certificate {folder}/fullchain.pem; ssl_certificate_key {folder}/privkey.pem;
        location / {{ return 200 "neighbour\\n"; }}
    }}
    include {folder}/portal.conf;
}}
"""
CADDY = """
{{
	admin off
	auto_https off
	default_sni {neighbour}
}}

https://{neighbour}:{port} {{
	bind 127.0.0.1
	tls {folder}/fullchain.pem {folder}/privkey.pem
	respond "neighbour"
}}

import {folder}/portal.Caddyfile
"""


@contextmanager
def nginx(folder: Path, upstream: int) -> Iterator[str]:
    """As root its workers would be nobody, who may not read a test's folder."""
    port = free_port()
    changes = {
        "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
        "/etc/letsencrypt/live/portal.example.com/": f"{folder}/",
        "/etc/ssl/": f"{folder}/",
        "/var/log/nginx/": f"{folder}/",
        "127.0.0.1:8002": f"127.0.0.1:{upstream}",
    }
    (folder / "portal.conf").write_text(changed_sample(ROOT / "deploy" / "nginx" / "portal.conf", changes))
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(NGINX.format(user=user, folder=folder, port=port, neighbour=NEIGHBOUR))
    write_certificate(folder)
    program = shutil.which("nginx") or "nginx"
    with front([program, "-p", str(folder), "-e", "error.log", "-c", "nginx.conf"], folder, port) as url:
        yield url


@contextmanager
def caddy(folder: Path, upstream: int) -> Iterator[str]:
    port = free_port()
    changes = {
        f"{NAME} {{": f"https://{NAME}:{port} {{\n\tbind 127.0.0.1",
        "tls {": f"tls {folder}/fullchain.pem {folder}/privkey.pem {{",
        "/etc/ssl/": f"{folder}/",
        "127.0.0.1:8002": f"127.0.0.1:{upstream}",
    }
    (folder / "portal.Caddyfile").write_text(changed_sample(ROOT / "deploy" / "caddy" / "portal.Caddyfile", changes))
    (folder / "Caddyfile").write_text(CADDY.format(folder=folder, port=port, neighbour=NEIGHBOUR))
    write_certificate(folder)
    command = ["caddy", "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
    with front(command, folder, port, {"XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}) as url:
        yield url


STAFF_FRONTS: dict[str, Callable[..., object]] = {"nginx": nginx, "caddy": caddy}


@dataclass(frozen=True)
class StaffCertificates:
    """`folder` has `staff-ca.pem`, which the samples name, and a file of certificate and key for each who has come."""

    folder: Path
    authority: Issuer

    def of(self, who: str, by: Issuer | None = None, use: Use = "client", age: timedelta = timedelta()) -> Path:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = issue(who, use, key, by or self.authority, datetime.now(UTC) - age)
        file = self.folder / f"{who}.pem"
        file.write_bytes(
            certificate.public_bytes(Encoding.PEM)
            + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        )
        return file


def staff_certificates(folder: Path) -> StaffCertificates:
    authority = self_signed("Example Water staff")
    certificate = authority_certificate(authority)
    (folder / "staff-ca.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    return StaffCertificates(folder, authority)


def self_signed(name: str) -> Issuer:
    return Issuer(name, ec.generate_private_key(ec.SECP256R1()))


def authority_certificate(authority: Issuer) -> x509.Certificate:
    return issue(authority.name, "authority", authority.key, authority, datetime.now(UTC))


def visitor(url: str, certificate: Path | None, server_name: str = NAME, address: str = "127.0.0.1") -> httpx.Client:
    """A browser or program that asks for the portal by its name. `server_name`: what it says while it connects (RFC 6066 3)."""
    return httpx.Client(
        base_url=url,
        headers={"Host": NAME, "Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"},
        transport=NamedTransport(server_name, verify=tls_of(certificate), local_address=address),
        timeout=PATIENCE_S,
    )


def tls_of(certificate: Path | None) -> ssl.SSLContext:
    """Of who shows this certificate, and does not ask for the proxy's own."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if certificate is not None:
        context.load_cert_chain(certificate)
    return context


class NamedTransport(httpx.HTTPTransport):
    def __init__(self, server_name: str, verify: ssl.SSLContext, local_address: str) -> None:
        super().__init__(verify=verify, local_address=local_address)
        self.server_name = server_name

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self.server_name:
            request.extensions["sni_hostname"] = self.server_name
        return super().handle_request(request)
