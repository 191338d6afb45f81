"""Films: order them, look at them, delete them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from app.films.recipe import Recipe
from app.films.shelf import Order, chapters_as_webvtt
from app.journal import Job, Medium
from app.journal.entries import Filter
from app.naming import slug
from app.web.access.caller import Caller, caller_of
from app.web.api import film_models, request_models, validation
from app.web.api.common import ERRORS, FAILURES, error
from app.web.api.filters import device_key
from app.web.api.operation import BodySpec, Operation, ResponseSpec, json_of
from app.web.api.param_types import at_home
from app.web.context import WebContext
from app.web.errors import NotFound
from app.web.films import film_named, is_ordered_for, order, remove, wanted_of

UNKNOWN = {404: error("There is no such film.")}
CACHING = "private, max-age=3600"


class FilmEndpoints:
    """The endpoints of films."""

    def __init__(self, context: WebContext) -> None:
        self._context = context

    def operations(self) -> list[Operation]:
        one = "/api/films/{id}"
        return [
            Operation(
                "GET",
                "/api/films",
                self.list_films,
                "Films, and those that are being made",
                {200: json_of("The newest first.", film_models.FilmsModel), **ERRORS},
                query=request_models.NoParams,
            ),
            Operation(
                "POST",
                "/api/films",
                self.order_film,
                "Have a film made of pictures in the album",
                {
                    202: json_of("It is made in a while.", film_models.AcceptedFilmModel),
                    **ERRORS,
                    404: error("There is no such camera."),
                    422: error("No film can be made so; the sentence says why."),
                    **FAILURES,
                },
                query=request_models.NoParams,
                body=BodySpec({"application/json": film_models.FilmOrderBody}),
            ),
            Operation(
                "GET",
                one,
                self.get_film,
                "A film",
                {
                    200: json_of("It.", film_models.FilmModel),
                    202: json_of("It is not made yet, or could not be.", film_models.OrderedFilmModel),
                    **ERRORS,
                    **UNKNOWN,
                },
                query=request_models.NoParams,
            ),
            Operation(
                "DELETE",
                one,
                self.delete_film,
                "Delete a film",
                {204: ResponseSpec("It is gone."), **ERRORS, **UNKNOWN, **FAILURES},
                query=request_models.NoParams,
            ),
            self._file(f"{one}/video", self.film_video, "The film itself, or the part that was asked for", "video/mp4"),
            self._file(f"{one}/still", self.film_still, "A picture out of the film", "image/jpeg"),
            self._file(f"{one}/chapters", self.film_chapters, "Its days as chapters, in WebVTT", "text/vtt"),
        ]

    async def list_films(self, request: Request) -> Response:
        validation.query(request, request_models.NoParams)
        return JSONResponse(await run_in_threadpool(self._all, caller_of(request)))

    async def order_film(self, request: Request) -> Response:
        validation.query(request, request_models.NoParams)
        body = await validation.section(request, film_models.FilmOrderBody)
        cameras = tuple([await device_key(name, self._context, caller_of(request)) for name in body.cameras])
        recipe = Recipe.model_construct(**{name: getattr(body, name) for name in Recipe.model_fields})
        zone = self._context.zone
        search = Filter(
            since=at_home(body.since, zone) if body.since else None,
            until=at_home(body.until, zone) if body.until else None,
            label=body.label,
            min_confidence=body.confidence,
            q=body.q,
            problem=body.problem,
            ids=body.ids,
        )
        wanted = wanted_of(recipe.model_copy(update={"cameras": cameras}), search)
        film_id = await run_in_threadpool(order, self._context, body.name.strip(), wanted)
        return JSONResponse({"id": film_id, "url": self._context.site.path(f"/api/films/{film_id}")}, status_code=202)

    async def get_film(self, request: Request) -> Response:
        validation.query(request, request_models.NoParams)
        answer, status = await run_in_threadpool(self._one, request.path_params["id"])
        return JSONResponse(answer, status_code=status)

    async def delete_film(self, request: Request) -> Response:
        validation.query(request, request_models.NoParams)
        await run_in_threadpool(remove, self._context, request.path_params["id"])
        return Response(status_code=204)

    async def film_video(self, request: Request) -> Response:
        film = await self._found(request)
        name = f"{film.taken_at.astimezone(self._context.zone):%Y%m%d}-{slug(film.name)}.mp4"
        return _file(Path(film.path), "video/mp4", name)

    async def film_still(self, request: Request) -> Response:
        film = await self._found(request)
        return _file(Path(film.path).with_suffix(".jpg"), "image/jpeg", f"{slug(film.name)}.jpg")

    async def film_chapters(self, request: Request) -> Response:
        film = await self._found(request)
        about = await run_in_threadpool(self._context.films.description, film)
        return Response(chapters_as_webvtt(about.chapters, film.duration_s), media_type="text/vtt")

    async def _found(self, request: Request) -> Medium:
        validation.query(request, request_models.NoParams)
        return await run_in_threadpool(film_named, self._context, request.path_params["id"])

    def _file(self, path: str, endpoint: Any, summary: str, media_type: str) -> Operation:
        whole = ResponseSpec("All of it.", {media_type: None})
        part = {206: ResponseSpec("The part of it that was asked for.", {media_type: None})}
        answers = {200: whole, **({} if media_type == "text/vtt" else part), **ERRORS, **UNKNOWN}
        return Operation("GET", path, endpoint, summary, answers, query=request_models.NoParams)

    def _one(self, film_id: str) -> tuple[dict[str, Any], int]:
        """The film, or its order; and the status. Raises `NotFound`."""
        films = self._context.films
        if films.film(film_id) is None and (ordered := films.order_of(film_id)) is not None:
            return _ordered(*ordered), 202
        return self._film(film_named(self._context, film_id)), 200

    def _all(self, caller: Caller) -> dict[str, Any]:
        """The films that the caller may see."""
        films = self._context.films
        return {
            "films": [
                self._film(film) for film in films.films() if not caller.cameras or film.camera in caller.cameras
            ],
            "ordered": [_ordered(job, order) for job, order in films.ordered() if is_ordered_for(order.wanted, caller)],
        }

    def _film(self, film: Medium) -> dict[str, Any]:
        about, address = self._context.films.description(film), self._context.site.path(f"/api/films/{film.id}")
        return {
            "id": film.id,
            "name": film.name,
            "camera": film.camera,
            "since": _iso(film.taken_at),
            "until": _iso(about.until) if about.until else None,
            "frames": film.frames,
            "duration_s": film.duration_s,
            "width": film.width,
            "height": film.height,
            "size": film.size,
            "chapters": [{"day": chapter.day, "start_s": chapter.start_s} for chapter in about.chapters],
            "notes": list(about.notes),
            "video_url": f"{address}/video",
            "still_url": f"{address}/still",
            "chapters_url": f"{address}/chapters",
        }


def _ordered(job: Job, wanted: Order) -> dict[str, Any]:
    return {
        "id": job.key,
        "name": wanted.name,
        "state": job.state,
        "progress": job.progress,
        "problem": job.problem,
    }


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def _file(path: Path, media_type: str, name: str) -> Response:
    try:
        stat = path.stat()
    except OSError:
        raise NotFound("unknown_film", "its file is gone") from None
    return FileResponse(
        path,
        headers={"Cache-Control": CACHING},
        media_type=media_type,
        filename=name,
        stat_result=stat,
        content_disposition_type="inline",
    )
