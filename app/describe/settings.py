"""The section `describe` of the configuration."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pylib.settings.credentials import Secret
from pylib.settings.fields import Section, ServerUrl, SmallLetters

PROMPT = (
    "This picture was taken by a camera of a home. Say in one short sentence what can be seen in it, and what people, "
    "animals and vehicles in it do. Say nothing that cannot be seen."
)


class DescribeSettings(Section):
    """A sentence about each event's picture, by a server with OpenAI's interface: at home or on the internet."""

    url: ServerUrl = Field(
        default="",
        description="Where the server's paths begin, such as `http://192.168.1.20:11434/v1` or"
        " `https://api.openai.com/v1`; empty for no sentences. Pictures are sent there.",
    )
    model: str = Field(default="", max_length=200, description="Name of the model, one that sees pictures.")
    api_key: Secret = Field(default=Secret(""), description="The server's key; empty for none.")
    events: Annotated[Literal["person", "all"], SmallLetters] = Field(
        default="person", description="person: events with a person; all: every event with a picture."
    )
    prompt: str = Field(default=PROMPT, min_length=1, max_length=4000, description="What the model is asked.")
    language: str = Field(
        default="",
        max_length=40,
        description="Language of the sentence, such as German; the model's choice unless set.",
    )
    max_tokens: int = Field(default=120, ge=10, le=4000, description="Tokens of an answer, thinking included.")
    long_side: int = Field(
        default=768,
        ge=128,
        le=4096,
        description="Pixels of the longest side of what is sent; many servers charge by it.",
    )
    timeout: float = Field(default=60, gt=0, le=600, description="Seconds that one answer may take.")
    monthly_cap: int = Field(default=0, ge=0, description="Calls in a calendar month (UTC); 0 for no limit.")

    @model_validator(mode="after")
    def _complete(self) -> DescribeSettings:
        if self.url and not self.model:
            raise ValueError("model is missing: the name of the model, as the server has it")
        return self
