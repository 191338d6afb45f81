"""The bodies of forms, each within its limit; nobody else reads one."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, asynccontextmanager
from urllib.parse import parse_qs

from starlette.datastructures import FormData
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from app.web.errors import BadRequest, TooLarge

MULTIPART = "multipart/form-data"
LARGEST_FORM = 64 * 1024
"""Bytes of a form without files, and what one may have beside its files: a note of 2000 characters is 24 kB at most."""
LARGEST_FIELD = 16 * 1024
FIELDS = 10
BOXES = 500
"""Fields of a form with one for each camera, zone and label."""


async def fields(request: Request, *, most: int = LARGEST_FORM) -> Mapping[str, str]:
    """The fields of a form without files, each by its last value. Raises `BadRequest`, `TooLarge`."""
    if media_type(request) == MULTIPART:
        async with files_of(request, most=most, besides=0, files=0) as form:
            return {name: str(value) for name, value in form.multi_items()}
    return {name: values[-1] for name, values in (await _parsed(request, most, FIELDS)).items()}


async def lists(request: Request, *, boxes: int = BOXES) -> Mapping[str, list[str]]:
    """The fields of a form with many boxes to tick, each with all its values. Raises `BadRequest`, `TooLarge`."""
    return await _parsed(request, LARGEST_FORM, boxes)


async def _parsed(request: Request, most: int, most_fields: int) -> dict[str, list[str]]:
    async with aclosing(capped(request, most=most)) as chunks:
        raw = b"".join([chunk async for chunk in chunks])
    try:
        return parse_qs(text_of(raw), keep_blank_values=True, errors="replace", max_num_fields=most_fields)
    except ValueError:
        raise BadRequest("bad_form", "this is not a form") from None


@asynccontextmanager
async def files_of(
    request: Request, *, most: int, files: int, besides: int = LARGEST_FORM
) -> AsyncGenerator[FormData, None]:
    """A form with at most so many files, of at most so many bytes in all; its files are deleted when this ends.

    Raises `BadRequest`, `TooLarge`.
    """
    async with aclosing(capped(request, most=most, besides=besides)) as chunks:
        parser = MultiPartParser(
            request.headers, chunks, max_files=files, max_fields=FIELDS, max_part_size=LARGEST_FIELD
        )
        try:
            form = await parser.parse()
        except MultiPartException as error:
            raise BadRequest("bad_form", error.message) from None
    try:
        yield form
    finally:
        await form.close()


async def capped(request: Request, *, most: int, besides: int = 0) -> AsyncGenerator[bytes, None]:
    """The body as it comes, of at most `most` bytes, and `besides` for what is around them.

    Raises `TooLarge` before it reads a body that announces its length, or else on the way.
    """
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:20]) > most + besides:
        raise too_large(most)
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most + besides:
            raise too_large(most)
        yield chunk


def text_of(raw: bytes) -> str:
    """Text of a header or a form, which declare no encoding: UTF-8 from most programs, Latin-1 from some."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def too_large(most: int) -> TooLarge:
    """The error for a body of more bytes than that."""
    size = f"{most / 1e6:g} MB" if most >= 1_000_000 else f"{most} bytes"
    return TooLarge("too_large", f"this may have at most {size}")


def media_type(request: Request) -> str:
    """What the body is said to be, in small letters and without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()
