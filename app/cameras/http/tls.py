"""Which certificates of https cameras are trusted: those of authorities for their names, a camera's own by itself."""

from __future__ import annotations

import re
import ssl
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import certifi
from urllib3.util.ssl_match_hostname import CertificateError, match_hostname

from app.cameras import CameraRejected
from pylib.net.deadline import TimedTLSSocket

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_LEGACY_SERVER_CONNECT = 0x4
"""`ssl.OP_LEGACY_SERVER_CONNECT`, which Python has from 3.12 on: a peer that knows no RFC 5746."""


@dataclass(frozen=True, slots=True)
class TLSSettings:
    """What one camera's https connections demand."""

    verify: bool = True
    ca_file: Path | None = None
    """The only certificates to trust; the public authorities' when None."""
    legacy: bool = False
    """Allow versions, ciphers and keys that are outdated."""


class TLSContext(ssl.SSLContext):
    """A context that may know single certificates: OpenSSL then checks all but the name, and `trusts` the name."""

    pinned: frozenset[bytes] = frozenset()
    """In DER: trusted whatever the camera is called, for those that cameras make for themselves often name nothing."""

    def trusts(self, connected: ssl.SSLSocket, host: str) -> bool:
        """Whether the certificate of a connection that stands is the camera's own, or for this host."""
        if self.verify_mode == ssl.CERT_NONE or self.check_hostname:
            return True
        if connected.getpeercert(binary_form=True) in self.pinned:
            return True
        with suppress(CertificateError):
            certificate = connected.getpeercert()
            # A home's own authority may still name a camera as all did before 2000; OpenSSL takes it as well.
            match_hostname(certificate, host.strip("[]"), hostname_checks_common_name=True)  # type: ignore[arg-type]
            return True
        return False


def tls_context(settings: TLSSettings) -> TLSContext:
    """Raises `CameraRejected` (`certificate_refused`) when the file has no certificates."""
    context = TLSContext(ssl.PROTOCOL_TLS_CLIENT)
    context.sslsocket_class = TimedTLSSocket
    try:
        context.load_verify_locations(settings.ca_file or certifi.where())
        if settings.ca_file is not None:
            context.pinned = _certificates(settings.ca_file)
    except (OSError, ValueError):  # ssl.SSLError among them
        detail = f"{settings.ca_file} holds no certificates that can be read"
        raise CameraRejected("certificate_refused", detail) from None
    if settings.ca_file is not None:
        context.check_hostname = False
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # a camera's own is enough, whoever signed it
    if not settings.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if settings.legacy:
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        context.options |= _LEGACY_SERVER_CONNECT
    return context


def _certificates(file: Path) -> frozenset[bytes]:
    found = _CERTIFICATE.findall(file.read_text(encoding="utf-8", errors="replace"))
    return frozenset(ssl.PEM_cert_to_DER_cert(one) for one in found)
