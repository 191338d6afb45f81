"""Stores a mail's pictures in the inbox before the sender is answered that it was accepted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePosixPath

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session

from app.uploads.inbox import MAIL, Inbox, InboxFile, InboxUnavailable
from app.uploads.mail.admission import Admission
from app.uploads.mail.pictures import Attached, BadMail, pictures_in
from app.uploads.mail.recipients import Recipients
from pylib.net.addresses import written

log = structlog.get_logger(__name__)

WORKERS = 4
"""Mails parsed and written at once: writing is mostly waiting for the disk."""


class MailHandler:
    """aiosmtpd's handler. Its hooks run in the server's loop, slow work in threads of its own."""

    def __init__(
        self,
        inbox: Inbox,
        *,
        recipients: Recipients,
        gate: Admission,
        max_pictures: int,
        on_taken: Callable[[InboxFile, str], None],
        count: Callable[[str], None],
    ) -> None:
        """`on_taken` is called in several threads."""
        self._inbox = inbox
        self._recipients = recipients
        self._gate = gate
        self._max_pictures = max_pictures
        self._on_taken = on_taken
        self._count = count
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="mail")
        self._under_way: set[asyncio.Future[str]] = set()

    async def handle_MAIL(  # noqa: N802 - aiosmtpd calls it by this name, as those below
        self, _server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """The sender: any that has logged in."""
        if not session.authenticated and not self._gate.is_open(_peer(session)):
            return "530 5.7.0 Log in first, with MAIL_USERNAME and MAIL_PASSWORD, or set MAIL_OPEN_NETWORKS"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """The recipient: any, if it, the sender or the sender's IP address identifies the camera."""
        peer = _peer(session)
        if self._recipients.folder([address], envelope.mail_from or "", peer) is None:
            self._count("unknown_camera")
            log.warning("mail of no known camera", recipient=address, sender=envelope.mail_from, address=peer)
            examples = self._recipients.examples.encode("ascii", "replace").decode()
            return f"550 5.1.1 No camera is called that; send to the address of one: {examples}"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """The mail itself: 250 means that every picture in it is safely on disk."""
        folder = self._recipients.folder(envelope.rcpt_tos, envelope.mail_from or "", _peer(session))
        content, envelope.content, envelope.original_content = envelope.content, None, None
        if folder is None or not isinstance(content, bytes):
            return "451 4.3.0 Cannot take this mail now"
        taking = asyncio.get_running_loop().run_in_executor(self._pool, self._take, content, folder)
        self._under_way.add(taking)
        taking.add_done_callback(self._under_way.discard)
        # A client that disconnects before the reply has still sent the complete mail.
        return await asyncio.shield(taking)

    async def finish(self, within: float) -> None:
        """Finish the mails in progress, for at most so many seconds, and begin no other."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=within)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _take(self, content: bytes, folder: PurePosixPath) -> str:
        try:
            pictures = pictures_in(content, most=self._max_pictures)
            return self._put(pictures, folder)
        except BadMail as error:
            self._count(error.code)
            log.warning("mail refused", camera=folder.name, reason=str(error))
            return f"554 5.6.0 Not taken: {error.detail}"
        except InboxUnavailable as error:
            self._count(error.code)
            log.error("mail not taken, the camera may send it again", camera=folder.name, reason=str(error))
            return "452 4.3.1 Cannot store the pictures now; send the mail again"
        except Exception:
            self._count("failed")
            log.exception("mail not taken", camera=folder.name)
            return "451 4.3.0 Cannot take this mail now"

    def _put(self, pictures: list[Attached], folder: PurePosixPath) -> str:
        if not pictures:
            self._count("no_picture")
            log.info("mail without a picture", camera=folder.name)
            return "250 2.0.0 OK, but there is no picture in it"
        for picture in pictures:
            self._hand_over(self._inbox.put(picture.data, folder / picture.name, origin=MAIL))
        self._count("taken")
        return f"250 2.0.0 OK, pictures taken: {len(pictures)}"

    def _hand_over(self, taken: InboxFile) -> None:
        try:
            self._on_taken(taken, MAIL)
        except Exception:
            log.exception("not passed on, resumed at the next start", name=str(taken.name))


def _peer(session: Session) -> str:
    return written(str(session.peer[0])) if session.peer else ""
