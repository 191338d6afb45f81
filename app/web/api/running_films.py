"""Running films: how they are, announcing pictures, and dates for those that have none."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.web.api import film_models, request_models, validation
from app.web.api.common import ERRORS, FAILURES, error
from app.web.api.operation import BodySpec, Operation, ResponseSpec, json_of
from app.web.context import WebContext
from app.web.running_films import date_picture, running_film

UNKNOWN = {404: error("There is no such running film.")}


class RunningFilmEndpoints:
    """The endpoints of running films, which have the names that the configuration gives them, or their ids."""

    def __init__(self, context: WebContext) -> None:
        self._context = context

    def operations(self) -> list[Operation]:
        one = "/api/films/{id}"
        return [
            Operation(
                "GET",
                "/api/running-films",
                self.list_running_films,
                "Films that grow, and how they are",
                {200: json_of("As they are configured.", film_models.RunningFilmsModel), **ERRORS},
                query=request_models.NoParams,
            ),
            Operation(
                "POST",
                f"{one}/announce",
                self.announce_pictures,
                "Have a running film wait for pictures that are going to come",
                {204: ResponseSpec("It waits."), **ERRORS, **UNKNOWN, **FAILURES},
                query=request_models.NoParams,
                body=BodySpec({"application/json": film_models.AnnouncementBody}),
            ),
            Operation(
                "GET",
                f"{one}/left-out",
                self.list_left_out,
                "The pictures that a running film cannot show: without a date, or broken",
                {200: json_of("At most 100 of each.", film_models.LeftOutModel), **ERRORS, **UNKNOWN},
                query=request_models.NoParams,
            ),
            Operation(
                "POST",
                f"{one}/dates",
                self.date_picture,
                "Say when a picture without a date was taken",
                {
                    204: ResponseSpec("It will be shown."),
                    **ERRORS,
                    404: error("There is no such running film, or no such picture without a date."),
                    422: error("Nobody has been there yet."),
                    **FAILURES,
                },
                query=request_models.NoParams,
                body=BodySpec({"application/json": film_models.PictureDateBody}),
            ),
        ]

    async def list_running_films(self, request: Request) -> Response:
        validation.query(request, request_models.NoParams)
        return JSONResponse(await run_in_threadpool(self._all))

    async def announce_pictures(self, request: Request) -> Response:
        validation.query(request, request_models.NoParams)
        body = await validation.section(request, film_models.AnnouncementBody)
        name = running_film(self._context, request.path_params["id"])
        await run_in_threadpool(self._context.running_films.announce, name, body.pictures, names=body.names)
        return Response(status_code=204)

    async def list_left_out(self, request: Request) -> Response:
        validation.query(request, request_models.NoParams)
        name = running_film(self._context, request.path_params["id"])
        return JSONResponse(await run_in_threadpool(self._left_out, name))

    async def date_picture(self, request: Request) -> Response:
        validation.query(request, request_models.NoParams)
        body = await validation.section(request, film_models.PictureDateBody)
        name = running_film(self._context, request.path_params["id"])
        await run_in_threadpool(date_picture, self._context, name, body.picture, body.taken_at)
        return Response(status_code=204)

    def _all(self) -> dict[str, object]:
        films = self._context.running_films
        found = []
        for name in films.names:
            standing = films.standing(name)
            found.append(
                {
                    "id": films.medium_id(name),
                    "name": name,
                    "shown": standing.shown,
                    "waiting": standing.waiting,
                    "undated": standing.undated,
                    "broken": standing.broken,
                    "passed": standing.passed,
                }
            )
        return {"films": found}

    def _left_out(self, name: str) -> dict[str, object]:
        films = self._context.running_films
        kinds = {"undated": films.undated(name), "broken": films.broken(name)}
        return {
            kind: [{"picture": one.name, "problem": one.problem} for one in pictures]
            for kind, pictures in kinds.items()
        }
