"""One configured camera as the pipeline asks it: one request at a time, within its circuit."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from tenacity import (
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_before_delay,
    wait_random_exponential,
)

from app.cameras import Camera, CameraRejected
from app.media.adjustments import AS_IT_CAME, Adjustments
from app.media.develop import developed
from app.media.picture import MAX_PIXELS, BadPicture, Picture
from app.messages import Burst
from app.pipeline.brought_logins import BroughtLogins
from pylib.errors import Transient
from pylib.runtime.circuit_breaker import Breaker

ATTEMPTS = 3


@dataclass(slots=True)
class Channel:
    """One configured camera and its circuit breakers. From any thread."""

    camera: Camera
    label: str
    timeout: float
    """Seconds one attempt may take; further attempts begin only in the first half of them."""
    breaker: Breaker = field(default_factory=Breaker)
    """Of the configured address and login."""
    brought: BroughtLogins = field(default_factory=BroughtLogins)
    """Of those that triggers brought."""
    burst: Burst | None = None
    """The pictures of an event, unless its trigger or a rule says how many."""
    adjustments: Callable[[], Adjustments] = lambda: AS_IT_CAME
    """What is done to each picture now; asked for each."""
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    def circuit(self, params: str | None) -> Breaker:
        """The breaker for this address and login: None is the configured one."""
        return self.breaker if params is None else self.brought.circuit(params)

    @property
    def busy(self) -> bool:
        """Whether it is being asked now."""
        return self._one_at_a_time.locked()

    def take(
        self, params: str | None, *, attempts: int = ATTEMPTS, max_pixels: int = MAX_PIXELS, unasked: bool = False
    ) -> tuple[bytes, Picture]:
        """A picture that decodes, turned, cut and masked, within a few attempts and as the circuit allows.

        `params`: `device_params` of the trigger. `unasked`: no event waits for it, and the circuit counts no failure
        but a refusal. Raises `CameraUnavailable`, `CameraRejected`, `BadPicture`, and `Transient` while the circuit is
        open.
        """
        with self._one_at_a_time:
            return self._take(params, attempts, max_pixels, unasked)

    def _take(self, params: str | None, attempts: int, max_pixels: int, unasked: bool) -> tuple[bytes, Picture]:
        breaker = self.circuit(params)
        if not breaker.allow():
            raise Transient("circuit_open", f"the camera failed repeatedly, next try in {breaker.retry_in:.0f} s")
        trying = Retrying(
            retry=retry_if_exception_type((Transient, BadPicture)),
            stop=stop_after_attempt(attempts) | stop_before_delay(self.timeout / 2),
            wait=wait_random_exponential(multiplier=0.1, max=1),
            reraise=True,
        )
        try:
            taken = trying(self._attempt, params, max_pixels)
        except BaseException as error:
            refused = isinstance(error, CameraRejected)
            if refused or not unasked:
                breaker.failed(final=refused)
            if params is not None and isinstance(error, CameraRejected) and error.code == "login_refused":
                self.brought.refused()
            raise
        breaker.succeeded()
        return taken

    def _attempt(self, params: str | None, max_pixels: int) -> tuple[bytes, Picture]:
        data = self.camera.snapshot(params).data
        return developed(data, self.adjustments(), max_pixels=max_pixels)
