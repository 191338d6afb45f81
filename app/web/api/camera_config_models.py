"""The models of configured cameras' requests and responses."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, JsonValue, StringConstraints

from app.web.api.param_types import Text
from app.web.api.request_models import ONE_LINE, RequestBody, RequestParams
from app.web.api.response_models import ResponseModel

MOST_SETTINGS = 100
Version = Annotated[str, StringConstraints(max_length=100, pattern=ONE_LINE)]


class CameraVersionParams(RequestParams):
    """The file that a change was made from."""

    version: Text = Field(default="", description="`version` of the cameras; refused if the file has changed since.")


class CameraWishBody(RequestBody):
    """A camera as it shall be configured."""

    settings: dict[str, JsonValue] = Field(
        max_length=MOST_SETTINGS,
        description="Its settings, as an entry of `cameras` in config.yml. Of a camera that there is: all of them;"
        " secrets that are left out stay as they are, `null` takes one away.",
    )
    version: Version = Field(default="", description="`version` of the cameras; refused if the file has changed since.")
    ftp_login: bool = Field(default=False, description="Make an FTP login of the camera's own, with a new password.")
    name: Version = Field(default="", description="To try a change: the camera that is changed; empty for a new one.")


class ConfiguredCameraModel(ResponseModel):
    """A camera as the file has it, and the environment."""

    device_key: str
    kind: str
    settings: dict[str, Any] = Field(description="Those of the file, but secrets.")
    secrets: list[str] = Field(description="Settings of the file that are not shown.")
    environment: dict[str, str] = Field(description="Settings that come from elsewhere, and from where.")
    fixed: str = Field(description="Why it cannot be changed here; empty where it can.")
    ftp_login: str = Field(description="User name of its own FTP login.")


class CameraConfigModel(ResponseModel):
    """The cameras of the configuration file."""

    path: str
    version: str = Field(description="Another one whenever the file has changed.")
    problem: str = Field(description="Why none can be changed; empty where they can.")
    refusal: str = Field(description="Why the last change was taken back.")
    process: str = Field(description="Another one after each start of the service.")
    cameras: list[ConfiguredCameraModel]


class PushingModel(ResponseModel):
    """How a camera sends its pictures by FTP or mail."""

    port: int
    username: str
    password: str = Field(description="Shown this once.")
    folder: str = Field(description="For the shared login; the own one begins in it.")
    mail: str = Field(description="Address for its mails; empty where the mail server is off.")
    mail_port: int


class SavedCameraModel(ResponseModel):
    """A change that is in the file, from which the service starts anew now."""

    device_key: str
    version: str
    ftp: PushingModel | None


class RemarkModel(ResponseModel):
    """What a camera says of itself."""

    text: str
    remedy: str


class TriedCameraModel(ResponseModel):
    """What became of a picture that was taken to try a camera."""

    ms: float
    picture: str = Field(description="A JPEG in base64, masked as configured; empty where there is none.")
    size: str
    problem: str
    remedy: str
    remarks: list[RemarkModel]
