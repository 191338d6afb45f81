"""The models of the audit log."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from app.web.api.param_types import Ordinal, Text, Whole
from app.web.api.request_models import RequestParams
from app.web.api.response_models import ResponseModel


class AuditParams(RequestParams):
    """Which changes."""

    who: Text = Field(default="", description="Of this user, or token.")
    subject: Text = Field(default="", description="Of this: the id of a snapshot, a camera, a rule, a user.")
    before: Ordinal | SkipJsonSchema[None] = Field(default=None, description="`next` of the page before.")
    limit: Whole = Field(default=100, ge=1, le=1000, description="At most so many.")


class AuditRowModel(ResponseModel):
    """A change."""

    at: datetime
    who: str = Field(description="Name of the user or token; empty for the album's own password, and on this machine.")
    method: str = Field(description="session, password, proxy, token, open, link, command; empty for somebody unknown.")
    address: str
    action: str
    subject: str = Field(description="What it was done to.")
    detail: str


class AuditModel(ResponseModel):
    """Changes, the newest first."""

    changes: list[AuditRowModel]
    next: int | None = Field(description="`before` of the next page; null on the last.")
