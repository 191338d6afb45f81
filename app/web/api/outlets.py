"""Outlets that tell people: a test message through each, and the browsers that want messages."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.publishers import PublishError
from app.rules.push import MOST_SUBSCRIBERS, endpoint_problem, keys_problem
from app.rules.subscribers import Subscriber
from app.web import audit
from app.web.api import request_models, response_models, validation
from app.web.api.common import ERRORS, FAILURES, error
from app.web.api.operation import BodySpec, Operation, ResponseSpec, json_of
from app.web.context import WebContext
from app.web.errors import BadGateway, BadRequest, Conflict, NotFound


class OutletEndpoints:
    """The endpoints of outlets that tell people."""

    def __init__(self, context: WebContext) -> None:
        self._context = context
        self._testing: dict[str, threading.Lock] = {}

    def operations(self) -> list[Operation]:
        subscription = ResponseSpec("It is done.")
        unknown = {404: error("There is no such outlet.")}
        return [
            Operation(
                "POST",
                "/api/outlets/{name}/test",
                self.test_outlet,
                "Send a drawn test picture through an outlet that tells people",
                {
                    200: json_of("Its target has the message.", response_models.TestedModel),
                    409: error("A test message is on its way to it."),
                    502: error("The target did not take it; the sentence says why."),
                    **unknown,
                    **ERRORS,
                },
                query=request_models.NoParams,
            ),
            Operation(
                "GET",
                "/api/push/key",
                self.push_key,
                "What a browser needs to subscribe to messages",
                {200: json_of("The key, and the outlets.", response_models.PushKeyModel), **unknown, **ERRORS},
                query=request_models.NoParams,
            ),
            Operation(
                "POST",
                "/api/push/subscriptions",
                self.subscribe,
                "Send messages to a browser from now on",
                {204: subscription, **unknown, **ERRORS, **FAILURES},
                query=request_models.NoParams,
                body=BodySpec({"application/json": request_models.SubscriptionBody}),
            ),
            Operation(
                "DELETE",
                "/api/push/subscriptions",
                self.unsubscribe,
                "Send no more messages to a browser",
                {204: subscription, **ERRORS, **FAILURES},
                query=request_models.NoParams,
                body=BodySpec({"application/json": request_models.EndpointBody}),
            ),
        ]

    async def test_outlet(self, request: Request) -> Response:
        """200 once the target has it."""
        validation.query(request, request_models.NoParams)
        name, tests = request.path_params["name"], self._context.test_messages
        if name not in tests:
            raise NotFound("unknown_outlet", f"no outlet {name[:60]!r} tells people; {_known(tests)}")
        try:
            await run_in_threadpool(self._test, name)
        except PublishError as failure:
            raise BadGateway(failure.code, failure.detail) from None
        return JSONResponse({"outlet": name})

    def _test(self, name: str) -> None:
        """Raises `Conflict`: a target that hangs holds one of the web side's few threads, and not all."""
        lock = self._testing.setdefault(name, threading.Lock())
        if not lock.acquire(blocking=False):
            raise Conflict("test_running", f"a test message is on its way to {name}: wait for what becomes of it")
        try:
            self._context.test_messages[name]()
        finally:
            lock.release()

    async def push_key(self, request: Request) -> Response:
        validation.query(request, request_models.NoParams)
        outlets = self._context.push_outlets
        if not outlets:
            raise NotFound("no_push", "no outlet of kind webpush is configured")
        key = await run_in_threadpool(self._context.push_key)
        return JSONResponse({"key": key, "outlets": list(outlets)})

    async def subscribe(self, request: Request) -> Response:
        validation.query(request, request_models.NoParams)
        wanted = await validation.body(request, request_models.SubscriptionBody, required=True)
        subscriber = await run_in_threadpool(self._subscribe, wanted)
        audit.say(request, subscriber.outlet, subject=subscriber.person or urlsplit(subscriber.endpoint).netloc)
        return Response(status_code=204)

    async def unsubscribe(self, request: Request) -> Response:
        validation.query(request, request_models.NoParams)
        given = await validation.body(request, request_models.EndpointBody, required=True)
        await run_in_threadpool(self._context.journal.unsubscribe, given.endpoint)
        audit.say(request, "", subject=urlsplit(given.endpoint).netloc)
        return Response(status_code=204)

    def _subscribe(self, wanted: request_models.SubscriptionBody) -> Subscriber:
        """Raises `RequestRefused`."""
        journal, outlets, keys = self._context.journal, self._context.push_outlets, wanted.keys
        known = {one.endpoint: one for one in journal.subscribers()}
        before = known.pop(wanted.replaces, None)
        only = next(iter(outlets)) if len(outlets) == 1 else ""
        outlet = wanted.outlet or (before.outlet if before else only)
        if outlet not in outlets:
            raise NotFound("unknown_outlet", f"no outlet {outlet!r} of kind webpush; {_known(outlets)}")
        problem = endpoint_problem(wanted.endpoint, private=outlets[outlet]) or keys_problem(keys.p256dh, keys.auth)
        if problem:
            raise BadRequest("bad_field", problem)
        if len(known.keys() - {wanted.endpoint}) >= MOST_SUBSCRIBERS:
            sentence = f"{MOST_SUBSCRIBERS} browsers get messages already: stop them on one that needs none"
            raise BadRequest("too_many", sentence)
        person = wanted.person or (before.person if before else "")
        subscriber = Subscriber(wanted.endpoint, outlet, person, keys.p256dh, keys.auth)
        journal.subscribe(subscriber)
        if before and before.endpoint != wanted.endpoint:
            journal.unsubscribe(before.endpoint)
        return subscriber


def _known(names: Iterable[str]) -> str:
    return f"there are: {', '.join(names) or 'none'}"
