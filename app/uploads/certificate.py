"""The FTP and the mail server's certificate: the configured one, or one that is made on the first start."""

from __future__ import annotations

import ipaddress
import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pylib.errors import Permanent
from pylib.files import durable

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

CERTIFICATE, KEY = "ftp-certificate.pem", "ftp-key.pem"
"""Files in the data directory."""
VALID = timedelta(days=3650)
"""Long, as no user renews the certificate in a camera."""


class CertificateUnusable(Permanent):
    """The certificate or its key cannot be read, or they do not belong together."""


def make_certificate(folder: Path, *, names: tuple[str, ...] = ()) -> tuple[Path, Path]:
    """The paths of our own certificate and key, made unless they exist; that takes up to a second.

    `names` are addresses and host names that it is for, beside this machine's. Raises `CertificateUnusable`.
    """
    certificate, key = folder / CERTIFICATE, folder / KEY
    if certificate.exists() and key.exists():
        return certificate, key
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    # RSA and not an elliptic curve: it is what the oldest cameras support.
    private = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    try:
        durable.write_private(key, pem)
        durable.write(certificate, _self_signed(private, ("localhost", socket.gethostname(), *names)), mode=0o644)
    except OSError as error:
        raise CertificateUnusable("ftp_certificate", f"cannot write {folder}: {error.strerror}") from error
    return certificate, key


def tls_context(certificate: Path, key: Path, *, code: str = "ftp_certificate") -> ssl.SSLContext:
    """For a server, with TLS 1.2 and later. Raises `CertificateUnusable` with this code."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # A client that only sends would leave them unread: its close() becomes a reset, and what it sent last is lost.
    context.num_tickets = 0
    context.set_ciphers("DEFAULT")  # OpenSSL's: Python's leaves out those that older cameras have only
    try:
        context.load_cert_chain(certificate, key)
    except OSError:  # which SSLError is, too
        raise CertificateUnusable(
            code,
            f"{certificate} and {key} are no readable certificate and key that belong together",
        ) from None
    return context


def _self_signed(private: RSAPrivateKey, names: tuple[str, ...]) -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.x509.oid import NameOID

    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "snapshot-processor")])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # a camera's clock may be behind
        .not_valid_after(now + VALID)
        .add_extension(x509.SubjectAlternativeName([_general_name(one) for one in dict.fromkeys(names)]), False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
        .sign(private, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )


def _general_name(name: str) -> Any:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
