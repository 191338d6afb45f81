"""The models of responses about the service itself: archives, bans, jobs, costs, health."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from app.web.api.response_models import ResponseModel


class ArchiveModel(ResponseModel):
    """An archive's state."""

    name: str
    url: str = Field(description="Where people find the pictures; empty when that is no address.")
    archived: int
    waiting: int
    waiting_since: datetime | None = Field(description="Since when the oldest waits.")
    given_up: int
    never_asked_for: int = Field(description="Pictures in the cache from before it was configured.")
    problem: str = Field(description="What went wrong last; empty when all is well.")


class ArchivesModel(ResponseModel):
    """All configured archives."""

    archives: list[ArchiveModel]


class RetriedModel(ResponseModel):
    """What an archive retries from now on."""

    waiting: int
    taken_up: int = Field(description="Of these, what it had given up or never had enqueued.")


class BanModel(ResponseModel):
    """A login that is not checked at an address for a while."""

    server: str = Field(description="web, ftp or mail.")
    address: str = Field(description="An IPv4 address, the /64 of an IPv6 one, or `all` that are not private.")
    login: str = Field(description="Empty for all logins there but those that worked there lately.")
    until: datetime
    failures: int = Field(description="Different wrong passwords that led to it.")


class BansModel(ResponseModel):
    """All bans."""

    bans: list[BanModel]


class LiftedModel(ResponseModel):
    """What was lifted."""

    lifted: int = Field(description="So many bans.")


class JobModel(ResponseModel):
    """A piece of long work."""

    id: int
    kind: str
    title: str = Field(description="What people call this kind.")
    key: str = Field(description="Names it among its kind.")
    state: Literal["waiting", "done", "failed"]
    progress: float = Field(ge=0, le=1)
    attempts: int
    problem: str = Field(description="Of its last attempt, as `code: sentence`; empty when all is well.")
    next_at: datetime | None = Field(description="When it is tried; null for at once, or never again.")


class RedetectionModel(ResponseModel):
    """Pictures that are going to be looked at again."""

    key: str = Field(description="Of the job of kind `redetect`.")
    pictures: int = Field(description="How many there are.")


class CameraCostModel(ResponseModel):
    """What looking at one camera's pictures cost."""

    device_key: str
    calls: int
    cost_usd: float


class DetectorCostModel(ResponseModel):
    """What one detector's calls cost."""

    detector: str
    calls: int
    cost_usd: float
    monthly_calls: int | None = Field(description="That it may have, by cap and budget; null for no limit.")


class CostsModel(ResponseModel):
    """What looking cost since the first of the month (UTC)."""

    cost_usd: float = Field(description="US dollars in all, by list prices.")
    calls: int
    cameras: list[CameraCostModel] = Field(description="Those that cost something, the dearest first.")
    detectors: list[DetectorCostModel] = Field(description="Those that cost something.")


class JobsModel(ResponseModel):
    """Jobs: those that wait, then the last that ended."""

    jobs: list[JobModel]


class CheckModel(ResponseModel):
    """One part of the service."""

    name: str
    ok: bool
    detail: str
    critical: bool = Field(description="Whether the service fails with it.")
    live: bool = Field(description="Whether a restart may help.")
    alarm: bool = Field(description="Whether people should be alerted.")
    state: Literal["working", "untried", "degraded", "failing"] = Field(
        default="working",
        description="`untried`: not seen to work, nor to fail; `degraded`: something failed, and needs nobody yet.",
    )


class LiveModel(ResponseModel):
    """Whether the process works; the checks are for those who may see everything."""

    live: bool
    checks: list[CheckModel] = Field(default=[])


class ReadyModel(ResponseModel):
    """Whether the service can do its job; the rest is for those who may see everything."""

    ready: bool
    live: bool = True
    state: Literal["working", "untried", "degraded", "failing"] = Field(
        default="working", description="The worst of all checks."
    )
    checks: list[CheckModel] = Field(default=[])
