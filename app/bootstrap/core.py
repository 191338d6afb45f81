"""What all parts of a service share: settings, the record, the cache, and how it is observed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from app.bootstrap.adjusting import adjustments_by, rules_of
from app.bootstrap.tracing import tracing_of
from app.config.data_dir import DataDir
from app.config.settings import Settings
from app.detectors import Looker
from app.journal import Journal
from app.media.adjustments import Adjustments
from app.messages import decode, encode
from app.monitoring.metrics import SnapshotMetrics
from app.monitoring.outcomes import Outcomes
from app.monitoring.tally import Tally
from app.monitoring.tracing import EventTracing
from app.pipeline.live import InProcessEvents
from app.replicas.replica import Work
from app.rules.file import RulesFile
from app.rules.telling import Telling
from app.sources.requests import Intake
from app.storage.animations import Animations
from app.storage.cache import Cache
from app.storage.event_media import EventMedia
from pylib.net.limiter import ConnectionLimiter
from pylib.observability.health import Health
from pylib.runtime.relay import Codec, Transport
from pylib.runtime.restart import Restart
from pylib.runtime.shared_lock import SharedLock
from pylib.runtime.threads import ManagedThread
from pylib.timezones import local_zone


@dataclass(frozen=True)
class Core:
    """Made once for a service; nothing in it runs, and nothing is opened before `open`."""

    settings: Settings
    version: str
    metrics: SnapshotMetrics
    outcomes: Outcomes
    tally: Tally
    """Hears of every outcome, for `metrics` and `outcomes`."""
    tracing: EventTracing
    tracing_threads: tuple[ManagedThread, ...]
    """What sends its spans; none where nobody gets any."""
    journal: Journal
    cache: Cache
    media: EventMedia
    intake: Intake
    telling: Telling
    rules: RulesFile
    animations: Animations
    labels: dict[str, str]
    """Device key -> what people call the place."""
    adjustments: Callable[[str], Adjustments]
    """What is done to the pictures of a camera, by its device key, now."""
    health: Health = field(default_factory=Health)
    limiter: ConnectionLimiter = field(default_factory=ConnectionLimiter)
    """Of what strangers hold open, at all servers together."""
    test_messages: dict[str, Callable[[], None]] = field(default_factory=dict)
    """Name of an outlet that tells people -> sends a test message through it; filled where publishers are made."""
    lookers: dict[str, Looker] = field(default_factory=dict)
    """Name of a detector -> it, in service; filled where detectors are made. Empty where none is configured."""
    job_titles: dict[str, str] = field(default_factory=dict)
    """Kind of a job -> what people call it; filled where the kinds are made."""
    live: InProcessEvents = field(default_factory=InProcessEvents)
    attempts: SharedLock = field(default_factory=SharedLock)
    """Around work by which a picture can kill the process: a suspect is alone, so that no other is blamed for it."""
    work: Work = field(default_factory=Work)
    """What of the work is this service's; filled where it is one of several replicas."""
    restart: Restart = field(default_factory=Restart)
    transport: Transport = field(default_factory=lambda: Transport(Codec(encode, decode)))

    @classmethod
    def of(cls, settings: Settings, *, version: str) -> Core:
        """What these settings ask for."""
        data_dir = DataDir(settings.data_dir)
        journal, media = Journal(data_dir.journal), EventMedia(data_dir.media)
        labels = {camera.device_key: camera.label or camera.location for camera in settings.cameras}
        rules = rules_of(settings)
        metrics, outcomes = SnapshotMetrics(version=version), Outcomes(journal)
        tracing, tracing_threads = tracing_of(settings, version=version, metrics=metrics)
        return cls(
            settings=settings,
            version=version,
            metrics=metrics,
            outcomes=outcomes,
            tally=Tally(
                metrics, outcomes, push_only={one.device_key for one in settings.cameras if not one.has_address}
            ),
            tracing=tracing,
            tracing_threads=tracing_threads,
            journal=journal,
            cache=Cache(data_dir.cache, zone=local_zone(settings.time_zone)),
            media=media,
            intake=Intake(journal),
            telling=Telling(journal),
            rules=rules,
            animations=Animations(settings.animations, journal=journal, media=media, max_pixels=settings.max_pixels),
            labels=labels,
            adjustments=adjustments_by(settings, lambda: rules.book),
        )

    def open(self) -> None:
        """Open cache, journal and rules. Raises `pylib.errors.Failure`."""
        self.cache.open()
        self.journal.open()
        self.outcomes.open()
        self.rules.open()
