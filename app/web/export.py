"""Pictures as one ZIP that is made while it is sent, a few at once."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from datetime import UTC, datetime

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from app.export.pictures import MOST_BYTES, MOST_PICTURES, entries_of, zipped
from app.journal.entries import Extent, Filter
from app.naming import slug
from app.web.context import WebContext
from app.web.errors import NotFound, TooLarge
from app.web.streaming.byte_stream import ByteStream
from pylib.errors import Transient

LIMIT = (
    f"one ZIP takes at most {MOST_PICTURES:,} pictures and {MOST_BYTES // 10**9} GB: choose fewer days, or one camera"
)


class ExportsBusy(Transient):
    """So many ZIPs are being sent that another one has to come later."""


async def totals_of(context: WebContext, wanted: Filter) -> Extent:
    """How much it would be; counted up to one more than a ZIP takes."""
    return await run_in_threadpool(lambda: context.journal.totals(wanted, most=MOST_PICTURES + 1))


def refusal(totals: Extent) -> NotFound | TooLarge | None:
    """Why so much is no ZIP; None where it is one."""
    if not totals.count:
        return NotFound("no_pictures", "no picture matches")
    if totals.count > MOST_PICTURES or totals.size > MOST_BYTES:
        count = f"more than {MOST_PICTURES:,}" if totals.count > MOST_PICTURES else f"{totals.count:,}"
        return TooLarge("too_many_pictures", f"these are {count} pictures, {totals.size / 1e9:.1f} GB; {LIMIT}")
    return None


async def zip_of(context: WebContext, wanted: Filter) -> Response:
    """The ZIP of what this filter finds. Raises `NotFound`, `TooLarge`, `ExportsBusy`."""
    refused = refusal(await totals_of(context, wanted))
    if refused is not None:
        raise refused
    if not context.exports.begin():
        raise ExportsBusy("exports_busy", "as many ZIPs as may be sent at once are being sent: try again in a while")
    pieces = zipped(entries_of(context.journal, wanted), zone=context.zone, now=datetime.now(UTC))
    headers = {
        "Content-Type": "application/zip",
        "Content-Disposition": f'attachment; filename="{_file_name(context, wanted)}"',
        "Cache-Control": "no-store",
        "X-Accel-Buffering": "no",
    }
    return ByteStream(_in_threads(pieces), headers=headers, ended=context.exports.end)


async def _in_threads(pieces: Iterator[bytes | memoryview]) -> AsyncGenerator[bytes | memoryview, None]:
    while piece := await run_in_threadpool(next, pieces, b""):
        yield piece


def _file_name(context: WebContext, wanted: Filter) -> str:
    day = f"{wanted.since.astimezone(context.zone):%Y-%m-%d}" if wanted.since else ""
    return "-".join(filter(None, ("pictures", slug(wanted.camera), day))) + ".zip"
