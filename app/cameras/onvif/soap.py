"""SOAP 1.2 messages as ONVIF devices take them, and what they answer.

After the ONVIF Core Specification, 5.4 (error handling) and 5.9 (security), WSS UsernameToken Profile 1.0 and
WS-Addressing 1.0.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from xml.sax.saxutils import escape, quoteattr

from app.cameras.onvif.xml import Element

DEVICE = "http://www.onvif.org/ver10/device/wsdl"
MEDIA = "http://www.onvif.org/ver10/media/wsdl"
MEDIA2 = "http://www.onvif.org/ver20/media/wsdl"
EVENTS = "http://www.onvif.org/ver10/events/wsdl"
SCHEMA = "http://www.onvif.org/ver10/schema"
NOTIFICATION = "http://docs.oasis-open.org/wsn/b-2"
ADDRESSING = "http://www.w3.org/2005/08/addressing"

_ENVELOPE = "http://www.w3.org/2003/05/soap-envelope"
_WSS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss"
_SHOWN = 150
"""Characters of a device's own words in an error."""
_REFUSALS = ("notauthorized", "not authorized", "unauthorized", "authority failure", "failedauthentication")


@dataclass(frozen=True, slots=True)
class Token:
    """A login of WS-Security; the password goes as a digest."""

    username: str
    password: str
    at: datetime
    """Now, by the device's clock: it refuses what is older than some seconds."""

    def xml(self) -> str:
        """PasswordDigest is Base64(SHA-1(nonce + created + password))."""
        nonce, created = secrets.token_bytes(16), f"{self.at:%Y-%m-%dT%H:%M:%S}.{self.at.microsecond // 1000:03d}Z"
        digest = hashlib.sha1(nonce + created.encode() + self.password.encode(), usedforsecurity=False).digest()
        return (
            f'<w:Security s:mustUnderstand="true" xmlns:w="{_WSS}-wssecurity-secext-1.0.xsd"><w:UsernameToken>'
            f"<w:Username>{escape(self.username)}</w:Username>"
            f'<w:Password Type="{_WSS}-username-token-profile-1.0#PasswordDigest">{_base64(digest)}</w:Password>'
            f'<w:Nonce EncodingType="{_WSS}-soap-message-security-1.0#Base64Binary">{_base64(nonce)}</w:Nonce>'
            f'<u:Created xmlns:u="{_WSS}-wssecurity-utility-1.0.xsd">{created}</u:Created>'
            "</w:UsernameToken></w:Security>"
        )


@dataclass(frozen=True, slots=True)
class Addressed:
    """What WS-Addressing wants in the header of a message to a subscription."""

    to: str
    action: str
    parameters: Sequence[Element] = ()
    """The ReferenceParameters of the subscription, to be sent back as they came."""

    def xml(self) -> str:
        own = "".join(_written(parameter, " a:IsReferenceParameter='true'") for parameter in self.parameters)
        return (
            f'<a:Action s:mustUnderstand="true">{escape(self.action)}</a:Action>'
            f"<a:MessageID>urn:uuid:{uuid.uuid4()}</a:MessageID>"
            f"<a:ReplyTo><a:Address>{ADDRESSING}/anonymous</a:Address></a:ReplyTo>"
            f'<a:To s:mustUnderstand="true">{escape(self.to)}</a:To>{own}'
        )


def envelope(body: str, *, token: Token | None = None, addressed: Addressed | None = None) -> bytes:
    """A message; in `body`, the prefix `t` is the ONVIF schema's."""
    header = (addressed.xml() if addressed else "") + (token.xml() if token else "")
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="{_ENVELOPE}" xmlns:a="{ADDRESSING}"'
        f' xmlns:t="{SCHEMA}"><s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>'
    ).encode()


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a device did not do what it was asked."""

    codes: tuple[str, ...]
    """Without prefixes, the most general first: `Sender`, `InvalidArgVal`, `NoProfile`."""
    reason: str

    @property
    def is_refusal(self) -> bool:
        """Whether it wants another login."""
        said = " ".join((*self.codes, self.reason)).lower()
        return any(word in said for word in _REFUSALS)

    def __str__(self) -> str:
        return (self.reason or "/".join(self.codes) or "a fault")[:_SHOWN]


def fault_in(message: Element) -> Fault | None:
    """The fault that a message carries, in SOAP 1.2 or 1.1."""
    fault = message.first("Body", "Fault")
    if fault is None:
        return None
    values = [value for code in fault.all("Code") for value in code.within("Value")]
    codes = dict.fromkeys(each.text.rpartition(":")[2][:_SHOWN] for each in (*values, *fault.all("faultcode")))
    return Fault(tuple(codes)[:5], fault.text_of("Reason", "Text") or fault.text_of("faultstring"))


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _written(element: Element, mark: str = "") -> str:
    attributes = "".join(f" {name}={quoteattr(value)}" for name, value in element.attributes.items())
    inner = escape(element.text) + "".join(_written(child) for child in element.children)
    return f"<n:{element.name} xmlns:n={quoteattr(element.namespace)}{attributes}{mark}>{inner}</n:{element.name}>"
