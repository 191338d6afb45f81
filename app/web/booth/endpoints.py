"""The booth's endpoints: what its page, a button and the host call."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from contextlib import aclosing

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.booth.booth import Booth
from app.booth.guests import BadGuest, Guest
from app.booth.machine import NotNow, Turn
from app.cameras import CameraError
from app.web import forms
from app.web.api import request_models, validation
from app.web.api.common import ERRORS, FAILURES, error
from app.web.api.operation import BodySpec, Operation, ResponseSpec, json_of
from app.web.booth import models
from app.web.errors import BadGateway, BadRequest, Conflict, NotFound

GIF, SVG, CSV = "image/gif", "image/svg+xml", "text/csv"
NOT_NOW = error("The booth is in no state for this, or with another guest.")
FORMULAS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")  # noqa: RUF001 - the wide ones count, too
"""What spreadsheets take for the beginning of a formula."""


class BoothEndpoints:
    """The endpoints of the booth."""

    def __init__(self, booth: Booth, *, max_upload: int) -> None:
        """`max_upload`: bytes of one picture."""
        self._booth = booth
        self._max_upload = max_upload

    def operations(self) -> list[Operation]:
        where = {200: json_of("Where the booth is then.", models.BoothModel), **ERRORS}
        gone = {404: error("It is not there."), **ERRORS}

        def picture(kind: str) -> dict[int, ResponseSpec]:
            return {200: ResponseSpec("The picture.", {kind: None}), **gone}

        return [
            Operation("GET", "/api/booth", self.booth, "Where the photo booth is", where),
            Operation("POST", "/api/booth/start", self.start_booth, "Begin with a guest, as a touch does", where),
            Operation(
                *("POST", "/api/booth/pictures", self.take_booth_picture, "Take a guest's next picture"),
                {
                    **where,
                    **FAILURES,
                    409: NOT_NOW,
                    413: error("Too many bytes or pixels."),
                    415: error("This is no picture, or in no format that is taken."),
                    422: error("The picture is broken."),
                    502: error("The booth's camera gave no picture."),
                },
                query=models.BoothPictureParams,
                body=BodySpec({"image/jpeg": {"type": "string", "format": "binary"}}, required=False),
            ),
            Operation(
                *("POST", "/api/booth/events", self.booth_event, "Tell what a guest does"),
                {**where, 409: NOT_NOW},
                body=BodySpec({"application/json": models.BoothEventBody}),
            ),
            Operation(
                *("POST", "/api/booth/guest", self.keep_booth_animation, "Keep a guest's animation, and send it"),
                {**where, **FAILURES, 409: NOT_NOW},
                body=BodySpec({"application/json": models.BoothGuestBody}),
            ),
            Operation(
                "GET", "/api/booth/animation/{guest}", self.booth_animation, "The guest's animation", picture(GIF)
            ),
            Operation("GET", "/api/booth/code/{guest}", self.booth_code, "A QR code that leads to it", picture(SVG)),
            Operation(
                *("GET", "/api/booth/gallery", self.booth_gallery, "The evening's animations, without names"),
                {200: json_of("Their ids.", models.BoothGalleryModel), **ERRORS},
            ),
            Operation(
                "GET", "/api/booth/gallery/{guest}", self.booth_gallery_picture, "One of the gallery", picture(GIF)
            ),
            Operation(
                *(
                    "GET",
                    "/api/booth/guests.csv",
                    self.booth_guests,
                    "Name, e-mail and file of all guests, for the host",
                ),
                {200: ResponseSpec("A table in UTF-8.", {CSV: None}), **ERRORS},
            ),
        ]

    async def booth(self, _: Request) -> Response:
        """Its state; asked every second by the page."""
        return await self._where(lambda: None)

    async def start_booth(self, _: Request) -> Response:
        """Begin; with a guest there already, nothing changes."""
        return await self._where(self._booth.start)

    async def take_booth_picture(self, request: Request) -> Response:
        """The body is the tablet's picture; the service takes it where the booth has a camera of its own."""
        asked = validation.query(request, models.BoothPictureParams)
        async with aclosing(forms.capped(request, most=self._max_upload)) as chunks:
            data = b"".join([chunk async for chunk in chunks])
        return await self._where(lambda: self._booth.picture(asked.guest, asked.position, data))

    async def booth_event(self, request: Request) -> Response:
        """Once more, keep, typing, finish or cancel."""
        asked = await validation.body(request, models.BoothEventBody, required=True)
        return await self._where(lambda: self._booth.on(asked.event, asked.guest))

    async def keep_booth_animation(self, request: Request) -> Response:
        """When this answers it is on the disk, and will be sent."""
        asked = await validation.body(request, models.BoothGuestBody, required=True)

        def keep() -> Turn:
            guest = Guest.checked(asked.name, asked.email, consent=asked.consent)
            return self._booth.keep(asked.guest, guest, language=asked.language)

        return await self._where(keep)

    async def booth_animation(self, request: Request) -> Response:
        """Of the guest who stands before the booth."""
        return _picture(await run_in_threadpool(self._booth.animation, request.path_params["guest"]))

    async def booth_code(self, request: Request) -> Response:
        """The code of the guest who stands before the booth."""
        return _picture(await run_in_threadpool(self._code, request.path_params["guest"]), SVG)

    async def booth_gallery(self, request: Request) -> Response:
        """Empty where the settings show none."""
        validation.query(request, request_models.NoParams)
        return JSONResponse({"guests": await run_in_threadpool(self._booth.kept.gallery)})

    async def booth_gallery_picture(self, request: Request) -> Response:
        """Small as they are, the animations themselves."""
        return _picture(await run_in_threadpool(self._booth.kept.shown, request.path_params["guest"]))

    async def booth_guests(self, _: Request) -> Response:
        """For the host: needs the album's login."""
        return Response(
            await run_in_threadpool(self._table),
            media_type=f"{CSV}; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="guests.csv"'},
        )

    # -- in a worker thread -------------------------------------------------------------------------------

    async def _where(self, do: Callable[[], Turn | None]) -> Response:
        return JSONResponse(await run_in_threadpool(self._done, do))

    def _done(self, do: Callable[[], Turn | None]) -> dict[str, object]:
        try:
            do()
        except NotNow as refused:
            raise Conflict(refused.code, refused.detail) from None
        except BadGuest as bad:
            raise BadRequest(bad.code, bad.detail) from None
        except CameraError as failed:
            raise BadGateway(failed.code, failed.detail) from None
        turn, left = self._booth.look()
        is_kept = turn.state in ("done", "preview")
        return {
            "state": turn.state,
            "guest": turn.guest,
            "taken": turn.taken,
            "pictures": self._booth.settings.pictures,
            "seconds_left": left,
            "delivery": self._booth.kept.delivery(turn.guest) if is_kept else "",
            "code": is_kept and bool(self._booth.kept.link(turn.guest)),
        }

    def _code(self, guest: str) -> bytes | None:
        import segno

        turn, _ = self._booth.look()
        link = self._booth.kept.link(guest) if turn.guest == guest else ""
        if not link:
            return None
        drawn = io.BytesIO()
        # The least correction: a bucket's link is long, and the code is shown on a clean screen.
        segno.make(link, error="l", micro=False).save(drawn, kind="svg", border=4, light="white", omitsize=True)
        return drawn.getvalue()

    def _table(self) -> bytes:
        text = io.StringIO()
        rows = csv.writer(text)
        rows.writerow(("time", "name", "email", "file", "state"))
        for at, *cells in self._booth.kept.guests():
            rows.writerow((at.isoformat(timespec="seconds"), *map(_cell, cells)))
        return b"\xef\xbb\xbf" + text.getvalue().encode()


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULAS) else text


def _picture(data: bytes | None, kind: str = GIF) -> Response:
    if data is None:
        raise NotFound("not_there", "this is not, or no longer, there")
    return Response(data, media_type=kind)
