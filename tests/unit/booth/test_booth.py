"""The booth: what is kept of a guest, what is forgotten, and what is stored and mailed."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from app.booth.booth import BadFramePicture, Booth
from app.booth.guests import Guest
from app.booth.machine import LIMITS, NotNow
from app.jobs import NotYet
from app.journal import Journal
from app.media.picture import BadPicture
from app.storage.cache import CacheUnavailable
from pylib.aws.calls import AwsFailure
from pylib.errors import Permanent, Transient
from tests.fakes.booth import ADA, BoothHouse
from tests.fakes.cameras import jpeg
from tests.fakes.durability import disk


@pytest.fixture
def house(tmp_path: Path, journal: Journal) -> BoothHouse:
    return BoothHouse(tmp_path, journal, event="Anna & Tom", gallery=True)


def test_what_a_guest_keeps_is_one_event_stored_and_mailed_once(house: BoothHouse) -> None:
    guest = house.keep(language="de")
    house.do_jobs()
    house.do_jobs()
    ((key, (data, metadata)),) = house.shelf.kept.items()
    assert key.endswith(f"{guest}.gif")
    assert metadata == {"name": "Ada", "email": "ada@example.org", "event": "Anna & Tom"}
    with Image.open(io.BytesIO(data)) as gif:
        assert (gif.format, gif.n_frames) == ("GIF", 4)  # type: ignore[attr-defined]
    (mail,) = house.mailer.sent
    assert mail["to"] == "ada@example.org"
    assert "Hallo Ada" in mail["text"]
    assert f"https://shelf.example/{key}?604800" in mail["text"]
    assert f"https://home.example/booth/guests/{guest}" in mail["text"]
    entry = house.journal.entry(guest)
    assert entry is not None
    assert (entry.inspection.snapshot.origin, entry.inspection.snapshot.frames) == ("booth", 4)
    assert [one.kind for one in house.journal.media_of(guest)] == ["animation", *["frame"] * 4]
    assert house.booth.kept.delivery(guest) == "sent"
    assert next(iter(house.booth.kept.guests()))[1:4] == ("Ada", "ada@example.org", key)


def test_what_a_guest_kept_is_on_the_disk(house: BoothHouse, tmp_path: Path) -> None:
    with disk(tmp_path) as watched:
        guest = house.keep()
        left = watched.left()
    kept = [Path(one.path) for one in house.journal.media_of(guest)]
    assert len(kept) == 5
    assert {str(path.relative_to(tmp_path)): path.read_bytes() for path in kept}.items() <= left.items()


def test_the_same_again_changes_nothing(house: BoothHouse) -> None:
    guest = house.booth.start().guest
    assert house.booth.start().guest == guest
    house.booth.picture(guest, 0, jpeg(160, 120))
    assert house.booth.picture(guest, 0, b"not looked at").taken == 1
    house.pictures(guest)
    house.booth.on("keep", guest)
    for name in ("Ada", "Ben"):
        assert house.booth.keep(guest, Guest(name, "a@b.example"), language="en").state == "done"
    house.do_jobs()
    assert [mail["text"].splitlines()[0] for mail in house.mailer.sent] == ["Hello Ada,"]


@pytest.mark.parametrize("how", ["timeout", "cancel", "retake", "restart"])
def test_nothing_is_left_of_who_does_not_keep_theirs(house: BoothHouse, how: str) -> None:
    guest = house.booth.start().guest
    house.pictures(guest)
    assert house.booth.animation(guest)
    booth: Booth = house.booth
    if how == "timeout":
        house.clock.now += LIMITS["choice"]
    elif how == "restart":
        booth = house.make()
        booth.open()
    else:
        booth.on("cancel" if how == "cancel" else "retake", guest)
    assert booth.look()[0].state == ("countdown" if how == "retake" else "ready")
    assert not list(house.now.rglob("*.*"))
    assert booth.animation(guest) is None
    assert not list(house.media.root.rglob("*"))
    assert house.journal.jobs() == []


def test_an_earlier_guest_s_animation_is_not_shown_to_the_next(house: BoothHouse) -> None:
    ada = house.keep()
    assert house.booth.animation(ada)
    house.leave(ada)
    ben = house.booth.start().guest
    assert house.booth.animation(ada) is None
    assert house.booth.animation("") is None
    with pytest.raises(NotNow):
        house.booth.picture(ada, 0, jpeg(160, 120))
    assert house.booth.look()[0].guest == ben


def test_a_broken_picture_is_refused_and_the_guest_stays(house: BoothHouse) -> None:
    guest = house.booth.start().guest
    with pytest.raises(BadPicture):
        house.booth.picture(guest, 0, b"nothing")
    with pytest.raises(NotNow):
        house.booth.picture(guest, 1, jpeg(160, 120))
    house.pictures(guest)
    assert house.booth.look()[0].state == "choice"


def test_a_full_disk_loses_nothing_that_was_typed(house: BoothHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    guest = house.booth.start().guest
    house.pictures(guest)
    house.booth.on("keep", guest)
    with monkeypatch.context() as full:
        full.setattr(house.booth.kept._cache, "store", _full)
        with pytest.raises(CacheUnavailable):
            house.booth.keep(guest, ADA, language="en")
    assert house.booth.look()[0].state == "guest"
    assert house.booth.keep(guest, ADA, language="en").state == "done"
    house.do_jobs()
    assert len(house.mailer.sent) == len(house.shelf.kept) == 1


def test_nothing_is_left_of_who_could_not_keep_theirs_and_went(
    house: BoothHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(*arguments: Any, **named: Any) -> None:
        record(*arguments, **named)
        _full()

    record = house.journal.import_picture
    guest = house.booth.start().guest
    house.pictures(guest)
    house.booth.on("keep", guest)
    with monkeypatch.context() as full:
        full.setattr(house.journal, "import_picture", late)
        with pytest.raises(CacheUnavailable):
            house.booth.keep(guest, ADA, language="en")
    assert house.journal.entry(guest) is not None
    house.leave(guest)
    assert house.journal.entry(guest) is None
    house.do_jobs()
    assert not house.mailer.sent
    assert not [path for path in house.media.root.parent.rglob("*.*") if path.suffix in (".jpg", ".gif")]


def test_a_picture_that_is_in_the_album_will_be_mailed(house: BoothHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are recorded in one step: a kill finds none of them, or both."""
    guest = house.booth.start().guest
    house.pictures(guest)
    house.booth.on("keep", guest)
    with monkeypatch.context() as killed:
        killed.setattr("app.journal.pictures.insert_job", _full)
        with pytest.raises(CacheUnavailable):
            house.booth.keep(guest, ADA, language="en")
    assert house.journal.entry(guest) is None
    assert house.booth.keep(guest, ADA, language="en").state == "done"
    house.do_jobs()
    assert len(house.mailer.sent) == 1


def _full(*_: object, **__: object) -> Path:
    raise CacheUnavailable("cache_unavailable", "no space")


def test_without_a_network_it_is_sent_later_however_long_that_takes(house: BoothHouse) -> None:
    house.shelf.error = AwsFailure("unreachable", "No connection.", kind="away")
    guest = house.keep()
    for _ in range(20):
        _due(house, guest)
        house.do_jobs()
    assert house.booth.kept.delivery(guest) == "later"
    house.shelf.error, house.mailer.error = None, NotYet("mail_away", "away", after=60)
    for _ in range(20):
        _due(house, guest)
        house.do_jobs()
    assert house.booth.kept.delivery(guest) == "later"
    stored = house.shelf.puts
    house.mailer.error = None
    _due(house, guest)
    house.do_jobs()
    assert house.booth.kept.delivery(guest) == "sent"
    assert house.shelf.puts == stored, "what was stored was stored again"
    assert len(house.mailer.sent) == 1


def _due(house: BoothHouse, guest: str) -> None:
    job = house.journal.job("booth", guest)
    assert job is not None
    assert job.attempts == 0, "an outage uses up the tries"
    house.journal.retry_job(job.seq)


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (AwsFailure("access_denied", "Not allowed.", kind="denied"), "waiting"),
        (AwsFailure("call_refused", "Refused.", kind="refused"), "failed"),
        (OSError(28, "No space left on device"), "waiting"),
    ],
)
def test_what_is_in_the_way_decides_what_becomes_of_it(house: BoothHouse, error: Exception, state: str) -> None:
    house.shelf.error = error
    guest = house.keep()
    house.work.handle(*house.work.pending())
    job = house.journal.job("booth", guest)
    assert job is not None
    assert job.state == state
    assert "Ada" not in job.problem
    assert house.mailer.sent == []


@pytest.mark.parametrize("error", [Permanent("address_refused", "no"), Transient("mail_login", "no")])
def test_a_mail_that_is_refused_leaves_the_stored_one(house: BoothHouse, error: Exception) -> None:
    house.mailer.error = error
    house.keep()
    house.work.handle(*house.work.pending())
    assert len(house.shelf.kept) == 1


def test_a_guest_may_have_everything_deleted(house: BoothHouse) -> None:
    ada = house.keep()
    house.leave(ada)
    ben = house.keep(Guest("Ben", "ben@example.org"))
    house.do_jobs()
    assert house.booth.kept.gallery() == [ben, ada]
    assert house.booth.kept.delete(ada)
    house.do_jobs()
    assert [metadata["name"] for _, metadata in house.shelf.kept.values()] == ["Ben"]
    assert house.booth.kept.animation(ada) is None
    assert house.journal.media_of(ada) == []
    assert not house.media.path(ada, "animation.gif").exists()
    assert [row[1] for row in house.booth.kept.guests()] == ["Ben"]
    assert all("Ada" not in str(job) for job in house.journal.jobs())
    assert house.booth.kept.gallery() == [ben]
    assert not house.booth.kept.delete(ada)


def test_what_was_deleted_before_it_was_stored_is_not_stored(house: BoothHouse) -> None:
    house.booth.kept.delete(house.keep())
    house.do_jobs()
    assert house.shelf.kept == {}
    assert house.mailer.sent == []


def test_the_gallery_is_for_the_evening_and_only_where_it_is_wanted(tmp_path: Path, journal: Journal) -> None:
    house = BoothHouse(tmp_path, journal, gallery=True)
    guest = house.keep()
    assert house.booth.kept.shown(guest)
    house.clock.now += 17 * 3600
    assert house.booth.kept.gallery() == []
    assert house.booth.kept.shown(guest) is None
    assert BoothHouse(tmp_path, journal).booth.kept.gallery() == []


def test_no_archive_gets_a_guest_s_picture_and_none_is_evicted_before_it_is_sent(house: BoothHouse) -> None:
    guest = house.keep()
    assert house.journal.enqueue_rest("s3") == 0
    needed = {"targets": ("s3",), "archives": ("s3",), "limit": 10}
    assert [one.needed for one in house.journal.pictures(**needed)] == [True]  # type: ignore[arg-type]
    house.do_jobs()
    assert [(one.id, one.needed) for one in house.journal.pictures(**needed)] == [(guest, False)]  # type: ignore[arg-type]


def test_the_frame_picture_lies_over_every_picture(tmp_path: Path, journal: Journal) -> None:
    frame = Image.new("RGBA", (300, 200), (0, 0, 0, 0))
    frame.paste((255, 0, 0, 255), (0, 0, 300, 60))
    frame.save(tmp_path / "frame.png")
    house = BoothHouse(tmp_path, journal, frame_picture=tmp_path / "frame.png")
    guest = house.booth.start().guest
    house.pictures(guest)
    with Image.open(house.now / guest / "frame-0.jpg") as image:
        assert image.getpixel((80, 5)) == pytest.approx((254, 0, 0), abs=12)
        assert image.getpixel((80, 110)) != pytest.approx((254, 0, 0), abs=60)


def test_a_frame_picture_that_is_none_is_one_clear_sentence(tmp_path: Path, journal: Journal) -> None:
    (tmp_path / "frame.png").write_bytes(b"nothing")
    for name in ("frame.png", "missing.png"):
        with pytest.raises(BadFramePicture, match=r"booth\.frame_picture cannot be used"):
            BoothHouse(tmp_path, journal, frame_picture=tmp_path / name)
