"""Every patch to the internals of PyDrive2 and Google's client libraries; no other file has any.

Written for the versions in `HOLDS_FOR`; a test fails when the patched parts of them change.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from app.archives.google_drive.transport import DriveTransport

HOLDS_FOR = {"PyDrive2": "1.21.3", "google-api-python-client": "2.202.0", "oauth2client": "4.1.3"}


def connect(root_url: str, *, transport: Callable[[], DriveTransport], sign_in: Callable[[], str]) -> Any:
    """A `pydrive2.drive.GoogleDrive` that sends through our transports, one for each thread; sends nothing yet.

    `root_url` takes the place of Google's in the API description that comes with the library. `sign_in` is called
    where PyDrive2 would open a web server and wait for a person: before each call.
    """
    from googleapiclient.discovery import build_from_document
    from googleapiclient.discovery_cache import get_static_doc
    from pydrive2.auth import GoogleAuth
    from pydrive2.drive import GoogleDrive

    description = json.loads(get_static_doc("drive", "v2"))
    description["rootUrl"] = root_url.rstrip("/") + "/"
    description.pop("mtlsRootUrl", None)
    auth = GoogleAuth(settings={**GoogleAuth.DEFAULT_SETTINGS, "save_credentials": False})
    # Without credentials of its own PyDrive2 asks for a sign-in before each call: here that only makes sure of the
    # token that the transport signs with.
    auth.LocalWebserverAuth = sign_in
    auth.Get_Http_Object = transport
    auth.service = build_from_document(description, http=transport())
    # Built for each call with all its documentation, it would take half of an upload's processor time.
    files = auth.service.files()
    auth.service.files = lambda: files
    return GoogleDrive(auth)


def refresh(credentials: Any, transport: DriveTransport) -> None:
    """Renew oauth2client's credentials. Raises what the transport raises, and anything that an odd answer causes."""
    try:
        credentials.refresh(transport)
    except Exception:
        # oauth2client marks the token as ended at any error, also a server's.
        credentials.invalid = False
        raise
