"""Stores a mail's pictures and videos in the inbox before the sender is answered that it was accepted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import PurePosixPath

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session

from app.media.picture import MAX_PIXELS, BadPicture, examine
from app.uploads.inbox import MAIL, Inbox, InboxFile, InboxUnavailable
from app.uploads.mail.admission import Admission
from app.uploads.mail.mime import BadMail
from app.uploads.mail.pictures import Attached, pictures_in
from app.uploads.mail.recipients import Recipients
from pylib.net.addresses import written

log = structlog.get_logger(__name__)

WORKERS = 4
"""Mails parsed and written at once: writing is mostly waiting for the disk."""
MAX_CAMERAS = 10
"""Cameras that one mail may be for: each gets its own copy of the pictures."""
NAMED = 2
"""Pictures that a reply names, for it has 512 bytes (RFC 5321, 4.5.3.1.5)."""
_OTHER = ("unsupported_format", "not_an_image")
"""What is attached beside pictures: logos, icons, what mail programs add."""


class MailHandler:
    """aiosmtpd's handler. Its hooks run in the server's loop, slow work in threads of its own."""

    def __init__(
        self,
        inbox: Inbox,
        *,
        recipients: Recipients,
        gate: Admission,
        max_pictures: int,
        max_pixels: int = MAX_PIXELS,
        videos: bool = False,
        on_taken: Callable[[InboxFile, str], None],
        count: Callable[[str], None],
    ) -> None:
        """`videos`: whether they are taken too; `on_taken` is called in several threads."""
        self._inbox = inbox
        self._recipients = recipients
        self._gate = gate
        self._max_pictures = max_pictures
        self._max_pixels = max_pixels
        self._videos = videos
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
        if not self._folders(session, envelope, [address]):
            self._count("unknown_camera")
            log.warning("mail of no known camera", recipient=address, sender=envelope.mail_from, address=_peer(session))
            return f"550 5.1.1 No camera is called that; send to the address of one: {self._recipients.examples}"
        if len(self._folders(session, envelope, [*envelope.rcpt_tos, address])) > MAX_CAMERAS:
            return f"452 4.5.3 A mail may be for {MAX_CAMERAS} cameras; send the others one of their own"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """The mail itself: 250 means that no picture in it is damaged, and all are safely on disk."""
        folders = self._folders(session, envelope, envelope.rcpt_tos)
        content, envelope.content, envelope.original_content = envelope.content, None, None
        if not folders or not isinstance(content, bytes):
            return "451 4.3.0 Cannot take this mail now"
        taking = asyncio.get_running_loop().run_in_executor(self._pool, self._take, content, folders, _peer(session))
        self._under_way.add(taking)
        taking.add_done_callback(self._under_way.discard)
        # A client that disconnects before the reply has still sent the complete mail.
        return await asyncio.shield(taking)

    async def finish(self, within: float) -> None:
        """Finish the mails in progress, for at most so many seconds, and begin no other."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=within)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _folders(self, session: Session, envelope: Envelope, recipients: list[str]) -> list[PurePosixPath]:
        return self._recipients.folders(recipients, envelope.mail_from or "", _peer(session))

    def _take(self, content: bytes, folders: list[PurePosixPath], sender: str) -> str:
        cameras = [folder.name for folder in folders]
        try:
            whole, damaged, others = self._examined(pictures_in(content, most=self._max_pictures, videos=self._videos))
            self._put(whole, folders, sender)
        except BadMail as error:
            self._count(error.code)
            log.warning("mail refused", cameras=cameras, reason=str(error))
            return f"554 5.6.0 Not taken: {error.detail}"
        except InboxUnavailable as error:
            self._count(error.code)
            log.error("mail not taken, the camera may send it again", cameras=cameras, reason=str(error))
            return "452 4.3.1 Cannot store the pictures now; send the mail again"
        except Exception:
            self._count("failed")
            log.exception("mail not taken", cameras=cameras)
            return "451 4.3.0 Cannot take this mail now"
        if damaged:
            self._count("damaged")
            log.warning("pictures of a mail not taken", cameras=cameras, taken=len(whole), reasons=damaged)
            # Sent again, the whole ones are duplicates of those that are taken now.
            return f"554 5.6.0 Pictures taken: {len(whole)}{_not_taken(damaged)}"
        self._count("taken" if whole else "no_picture")
        if whole:
            return f"250 2.0.0 OK, pictures taken: {len(whole)}{_not_taken(others)}"
        log.info("mail without a picture", cameras=cameras, reasons=others)
        return "250 2.0.0 OK, but there is no picture in it"

    def _examined(self, pictures: list[Attached]) -> tuple[list[Attached], list[str], list[str]]:
        """Those that decode and all videos, which are damaged, and which are no pictures.

        Where none decodes, those that are none but claim to be are damaged: the camera believes that it sent one.
        """
        whole: list[Attached] = []
        refused: list[tuple[Attached, str, str]] = []
        for number, picture in enumerate(pictures, 1):
            try:
                if not picture.is_video:
                    examine(picture.data, max_pixels=self._max_pixels)
                whole.append(picture)
            except BadPicture as error:
                refused.append((picture, error.code, f"picture {number}, {picture.name}: {error.detail.rstrip('.')}"))
        damaged: list[str] = []
        others: list[str] = []
        for picture, code, reason in refused:
            is_other = code in _OTHER and (whole or not picture.is_claimed)
            (others if is_other else damaged).append(reason)
        return whole, damaged, others

    def _put(self, pictures: list[Attached], folders: list[PurePosixPath], sender: str) -> None:
        """Put all of them into the inbox, or none, and then hand them over."""
        put: list[InboxFile] = []
        try:
            for folder, picture in product(folders, pictures):
                put.append(self._inbox.put(picture.data, folder / picture.name, origin=MAIL, sender=sender))
        except BaseException:
            for file in put:
                self._inbox.done(file.path)
            raise
        for file in put:
            self._hand_over(file)

    def _hand_over(self, taken: InboxFile) -> None:
        try:
            self._on_taken(taken, MAIL)
        except Exception:
            log.exception("not passed on, resumed at the next start", name=str(taken.name))


def _not_taken(reasons: list[str]) -> str:
    more = f" and {len(reasons) - NAMED} more" if len(reasons) > NAMED else ""
    return f"; not taken: {'; '.join(reasons[:NAMED])}{more}" if reasons else ""


def _peer(session: Session) -> str:
    return written(str(session.peer[0])) if session.peer else ""
