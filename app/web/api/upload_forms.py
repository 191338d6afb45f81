"""Forms by which a browser sends a picture straight to a bucket, past this service."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.media.formats import CONTENT_TYPES, SUFFIXES, TAKEN, content_type_of
from app.web import audit, forms
from app.web.api import request_models, response_models, validation
from app.web.api.common import ERRORS, error
from app.web.api.operation import BodySpec, Operation, json_of
from app.web.api.uploads import checked_name, named_camera
from app.web.context import WebContext
from app.web.errors import NotFound, UnsupportedMedia

TYPES = tuple(CONTENT_TYPES[SUFFIXES[kind]] for kind in TAKEN)


class UploadFormEndpoints:
    """The endpoint of forms."""

    def __init__(self, context: WebContext) -> None:
        self._context = context

    def operations(self) -> list[Operation]:
        return [
            Operation(
                "POST",
                "/api/uploads/form",
                self.upload_form,
                "Get a form that sends a picture to the bucket",
                {
                    200: json_of("The form.", response_models.UploadFormModel),
                    **ERRORS,
                    404: error("There is no such camera, or no bucket is set."),
                    413: error("Too many bytes."),
                    415: error("No picture, or of a format that is not taken."),
                    502: error("There is no AWS login that could sign it."),
                },
                body=BodySpec({"application/json": request_models.UploadFormRequestBody}),
            )
        ]

    async def upload_form(self, request: Request) -> Response:
        """A form for one picture, which then comes back from the bucket by its source."""
        asked = await validation.body(request, request_models.UploadFormRequestBody, required=True)
        bucket = self._context.upload_bucket
        if bucket is None:
            raise NotFound("no_upload_bucket", "uploads go through this service: web.upload_bucket.bucket is not set")
        camera = named_camera(self._context, asked.camera)
        if asked.size > self._context.max_upload:
            raise forms.too_large(self._context.max_upload)
        name = checked_name(asked.name)
        # Signing may have to ask for a role's credentials first.
        form = await run_in_threadpool(
            lambda: bucket.form(camera=camera, name=name, content_type=_media_type(asked.type, name), note=asked.note)
        )
        audit.say(request, name, subject=camera)
        return JSONResponse(
            {
                "url": form.url,
                "fields": dict(form.fields),
                "bucket": form.bucket,
                "object_key": form.key,
                "until": form.until.isoformat(),
            }
        )


def _media_type(claimed: str, name: str) -> str:
    """The picture's media type, which the bucket is told. Raises `UnsupportedMedia`."""
    found = claimed if claimed in TYPES else content_type_of(name)  # browsers have many words for one format
    if found not in TYPES:
        raise UnsupportedMedia("unsupported_media", f"send a picture ({', '.join(TYPES)})")
    return found
