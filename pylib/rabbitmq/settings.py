"""The settings of a RabbitMQ broker: its address, and what is declared there."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from pylib.rabbitmq.address import BrokerAddress
from pylib.settings.credentials import Secret
from pylib.settings.fields import Section, SmallLetters

if TYPE_CHECKING:
    from pylib.rabbitmq.broker import Broker


class BrokerSettings(Section):
    """A RabbitMQ broker."""

    server_address: str = Field(
        default="",
        description="host, host:port or amqp(s)://user:password@host:port/vhost; the parts of a URL override the"
        " settings below. Empty for no broker.",
    )
    port: int = Field(default=0, ge=0, le=65_535, description="Port; 0 for 5672, or 5671 with TLS.")
    username: str = Field(default="guest", description="User name.")
    password: Secret = Field(default=Secret("guest"), description="Password; guest unless set.")
    vhost: str = Field(default="/", min_length=1, description="Virtual host.")
    tls: bool = Field(default=False, description="Use TLS, and check the broker's certificate.")
    queue_type: Annotated[Literal["quorum", "classic"], SmallLetters] = Field(
        default="quorum",
        description="Type of the service's own queues: quorum, or classic for a broker without quorum queues.",
    )
    heartbeat: int = Field(default=10, ge=5, le=600, description="Seconds between heartbeats on the connection.")

    @model_validator(mode="before")
    @classmethod
    def _split_address(cls, values: Any) -> Any:
        """Give a URL's parts to the fields they belong to, so that no login stays in `server_address`."""
        text = values.get("server_address") if isinstance(values, dict) else None
        if not isinstance(text, str) or not text.strip():
            return values
        with suppress(ValueError):  # `_readable` complains, in the right place
            return {**values, **BrokerAddress.parse(text.strip()).settings()}
        return values

    @field_validator("server_address")
    @classmethod
    def _readable(cls, value: str) -> str:
        if value.strip():
            BrokerAddress.parse(value.strip())
        return value.strip()

    @property
    def broker_port(self) -> int:
        """The port to connect to."""
        return self.port or (5671 if self.tls else 5672)

    @property
    def broker(self) -> Broker:
        """The broker that these settings name."""
        from pylib.rabbitmq.broker import Broker  # settings are read also where nothing connects

        return Broker(
            host=self.server_address,
            port=self.broker_port,
            username=self.username,
            password=self.password,
            vhost=self.vhost,
            tls=self.tls,
            heartbeat=self.heartbeat,
        )


class RabbitMQSettings(BrokerSettings):
    """The broker that triggers come from and events go to."""

    exchange: str = Field(
        default="home_automation",
        min_length=1,
        max_length=100,
        description="Topic exchange for events. Its name with `_control` appended is the exchange for triggers.",
    )
    device_topic: str = Field(
        default="snapshot",
        min_length=1,
        max_length=50,
        description="Word for this service in routing keys: `event.trigger.<topic>`, `event.notify.<topic>...`.",
    )
    durable_exchanges: bool = Field(
        default=False, description="Declare both exchanges durable; all programs that declare them must do the same."
    )
    prefetch: int = Field(default=1000, ge=1, le=65_535, description="Triggers that may be unacknowledged at once.")
    unroutable_for: float = Field(
        default=3600,
        ge=0,
        le=31_536_000,
        description="Seconds for which an event is tried again while no queue is bound for it.",
    )
