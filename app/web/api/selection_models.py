"""The models of requests and responses about many snapshots at once."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints
from pydantic.json_schema import SkipJsonSchema

from app.web.api.param_types import Moment, Number, Text
from app.web.api.request_models import RequestBody, RequestParams
from app.web.api.response_models import ResponseModel

MOST = 1000
"""Snapshots that are changed at once."""
LONGEST_UNDO_S = 60

Ids = Annotated[
    tuple[Annotated[str, StringConstraints(min_length=1, max_length=64)], ...],
    Field(max_length=MOST, description=f"Their ids, at most {MOST}."),
]


class DeleteParams(RequestParams):
    """Whether it can be taken back."""

    undo: Number = Field(
        default=0, ge=0, le=LONGEST_UNDO_S, description="Seconds in which it can be taken back; 0 to delete it at once."
    )


class ManyChangesBody(RequestBody):
    """What is changed, of these ids or of what the parameters in the address find."""

    ids: Ids = ()
    count: Annotated[int, Field(ge=1, le=MOST)] | None = Field(
        default=None, description="Without ids: how many the parameters find; if there are more or less, none changes."
    )
    starred: bool | None = Field(default=None, description="Keep the pictures whatever their age.")
    reviewed: bool | None = Field(default=None, description="Whether somebody has looked at them.")


class ChangedModel(ResponseModel):
    """What was changed."""

    changed: list[str] = Field(description="The ids of those that there were.")


class SelectedBody(RequestBody):
    """Which snapshots."""

    ids: Ids = Field(min_length=1)


class DeletionRequestBody(RequestBody):
    """What is deleted: these ids, or all of a camera, of a time or of both."""

    ids: Ids = ()
    undo: Annotated[float, Field(ge=0, le=LONGEST_UNDO_S)] = Field(
        default=10, description="Of ids: seconds in which it can be taken back."
    )
    camera: Annotated[str, StringConstraints(max_length=200)] = Field(
        default="", description="Device key or plain form; all cameras unless given."
    )
    since: Moment | SkipJsonSchema[None] = Field(default=None, description="Taken then or later.")
    until: Moment | SkipJsonSchema[None] = Field(default=None, description="Taken earlier than that.")
    count: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="Without ids: how many they are, as the preview says; else nothing is deleted."
    )
    archives: tuple[Text, ...] = Field(
        default=(), max_length=50, description="Without ids: the archives that delete their copies, by name."
    )


class DeletionScopeParams(RequestParams):
    """All of a camera, of a time or of both."""

    camera: Text = Field(default="", description="Device key or plain form; all cameras unless given.")
    since: Moment | SkipJsonSchema[None] = Field(default=None, description="Taken then or later.")
    until: Moment | SkipJsonSchema[None] = Field(default=None, description="Taken earlier than that.")


class ArchiveCopiesModel(ResponseModel):
    """What an archive has of them."""

    name: str
    copies: int
    can_delete: bool = Field(description="Whether it can delete its copies.")


class DeletionPreviewModel(ResponseModel):
    """What would be deleted."""

    count: int
    size: int = Field(description="Bytes of pictures in the cache, and of what is beside them.")
    starred: int = Field(description="How many of them have a star.")
    archives: list[ArchiveCopiesModel]


class DeletionModel(ResponseModel):
    """What is being deleted."""

    count: int
    undo: str | None = Field(description="By which it can be taken back; null where it cannot.")
    until: datetime | None = Field(description="Until when.")


class TakenBackModel(ResponseModel):
    """What is there again."""

    ids: list[str]


class ExportSizeModel(ResponseModel):
    """How much a ZIP would be."""

    count: int = Field(description="Pictures; counted up to one more than a ZIP takes.")
    size: int = Field(description="Bytes of those that are in the cache.")
    possible: bool
    reason: str = Field(description="Why it is not possible; empty where it is.")
