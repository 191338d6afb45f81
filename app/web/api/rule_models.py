"""The models of requests about rules: the rules themselves, zones, the home's mode, and who is not to be told."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from app.rules.model import Digest, HoursText, Mode, Rule, RuleBook, Still
from app.rules.polygon import Corner
from app.web.api.param_types import Moment
from app.web.api.request_models import RequestBody

LONGEST_SNOOZE_S = 31_536_000


class SwitchModeBody(RequestBody):
    """The mode to switch to."""

    mode: Mode = Field(description="The home's mode.")


class SnoozeForBody(RequestBody):
    """How long there are to be no messages."""

    seconds: Annotated[float, Field(gt=0, le=LONGEST_SNOOZE_S)] | None = Field(
        default=None, description="null until somebody ends it."
    )


class ZoneShapeBody(RequestBody):
    """A zone, or a mask."""

    name: str = Field(default="", max_length=50, description="Its new name; empty to leave it.")
    points: tuple[Corner, ...] = Field(
        description="Its corners in order, as fractions of the picture's width and height; no edge crosses another."
    )
    mask: bool = Field(default=False, description="Whether nothing that stands in it counts, for any rule.")
    private: bool = Field(
        default=False, description="Whether it is painted black in each picture from now on, before anything sees it."
    )


class NamedRuleBody(Rule):
    """A rule; its name is that of the path unless it gives one."""

    name: str = Field(default="", max_length=50, description="Its name, where it is to have another one.")


class RuleSettingsBody(RequestBody):
    """Changes to what holds for all rules; fields that are not given stay as they are."""

    quiet_hours: HoursText = Field(default="", description="Time of day without messages, such as `23:00-06:30`.")
    still: Still = Field(default=Still(), description="What counts as standing still.")
    digest: Digest = Field(default=Digest(), description="When many messages become one.")


class PreviewRequestBody(RequestBody):
    """What is tried."""

    book: RuleBook | None = Field(default=None, description="In place of all that holds.")
    rule: Rule | None = Field(default=None, description="A rule that is added.")
    instead_of: str = Field(default="", description="Name of the rule that it replaces.")
    since: Moment | None = Field(default=None, description="Events since then; of a week where it is not given.")
    mode: Mode | None = Field(default=None, description="The home's, all that time; as it is now where not given.")
