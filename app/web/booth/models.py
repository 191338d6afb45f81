"""The models of the booth's requests and responses."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from app.booth.machine import State
from app.booth.settings import Language
from app.web.api.request_models import RequestBody, RequestParams
from app.web.api.response_models import ResponseModel

GuestId = Annotated[str, Field(pattern="^[0-9a-f]{32}$", description="The guest's id.")]


class BoothPictureParams(RequestParams):
    """Which picture this is."""

    guest: GuestId
    position: int = Field(ge=0, le=9, description="Among the guest's pictures, from 0 on.")


class BoothEventBody(RequestBody):
    """What a guest does."""

    guest: GuestId
    event: Literal["retake", "keep", "stay", "finish", "cancel"]


class BoothGuestBody(RequestBody):
    """What a guest says about themselves."""

    guest: GuestId
    name: str = Field(max_length=2000)
    email: str = Field(max_length=2000)
    consent: bool
    language: Language


class BoothModel(ResponseModel):
    """Where the booth is."""

    state: State
    guest: str = Field(description="Id of the guest who stands before it; empty when there is none.")
    taken: int = Field(description="Pictures so far.")
    pictures: int = Field(description="Pictures of an animation.")
    seconds_left: float | None = Field(description="Until the state ends by itself; null for never.")
    delivery: Literal["", "sending", "later", "sent", "stored", "failed"] = Field(
        description="How far the guest's animation is, once they kept it."
    )
    code: bool = Field(description="Whether there is a QR code for the guest.")


class BoothGalleryModel(ResponseModel):
    """The evening's animations."""

    guests: list[str] = Field(description="Their ids, the latest first.")
