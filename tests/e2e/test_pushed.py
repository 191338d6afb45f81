"""What cameras push ends like what they are asked for: one event for each picture, whatever happens on the way."""

from __future__ import annotations

import contextlib
import ftplib
import io
import smtplib
import socket
import sqlite3
import time
from collections import Counter
from email.message import EmailMessage
from functools import partial

import pytest
from PIL import Image

from tests.broker import free_ports
from tests.e2e.conftest import Launch
from tests.e2e.peers import Consumer, House
from tests.e2e.process import until
from tests.e2e.pushing import LARGE, PASSWORD, UPLOADS, USER, Pushed, at_once, picture, reset, store
from tests.fakes.pictures import encoded, scene


def published(consumer: Consumer, camera: str) -> list[bytes]:
    """The pictures of a camera's events."""
    return [event.entry["image"] for event in consumer.of(camera)]


def names(places: int) -> list[str]:
    return [f"Place {number:02}" for number in range(places)]


# -- how much -----------------------------------------------------------------------------------------


@pytest.mark.long
def test_twenty_cameras_at_once_get_an_event_for_each_picture(launch: Launch, house: House) -> None:
    sent = {place: [picture(f"{place} {number}") for number in range(20)] for place in names(20)}
    pushed = Pushed(launch, house, *sent).start()

    def push(number: int, place: str) -> None:
        with pushed.camera(place, source=f"127.0.1.{number + 1}") as ftp:
            for one, data in enumerate(sent[place]):
                store(ftp, f"{one}.jpg", data)

    with Consumer(house) as consumer:
        with at_once(*(partial(push, number, place) for number, place in enumerate(sent))):
            pass
        until(lambda: len(consumer.events) >= 400, timeout=60, what="an event for each picture")
        until(pushed.idle, what="nothing left to do")
        for place, pictures in sent.items():
            assert published(consumer, f"{place} Camera") == pictures
    assert len(consumer.events) == 400
    entries = [event.entry for event in consumer.latest]
    assert Counter((entry["origin"], entry["problem"]) for entry in entries) == {("ftp", ""): 400}
    assert pushed.quarantined == []


def test_what_a_camera_pushes_together_moves(launch: Launch) -> None:
    pushed = Pushed(launch, None, "Yard", uploads={"settle": 1.0}).start()
    service = pushed.service
    with pushed.camera("Yard") as ftp:
        for step in range(3):
            store(ftp, f"{step}.jpg", encoded(scene([(300 + 200 * step, 300)])))
    until(lambda: [job["state"] for job in service.http("GET", "/api/jobs").json()["jobs"]] == ["done"])
    (event,) = service.http("GET", "/api/snapshots").json()["snapshots"]
    gif = service.http("GET", event["animation_url"])
    with Image.open(io.BytesIO(gif.content)) as image:
        assert (image.format, image.size, getattr(image, "n_frames", 1)) == ("GIF", (480, 270), 3)
    assert service.metric("jobs_total", kind="animation", outcome="ok") == 1


# -- mishaps ------------------------------------------------------------------------------------------


@pytest.mark.long
def test_kill_9_in_the_middle_loses_and_doubles_nothing(launch: Launch, house: House) -> None:
    sent = {place: [picture(f"{place} {number}", LARGE) for number in range(30)] for place in names(8)}
    pushed = Pushed(launch, house, *sent).start()
    answered: list[bytes] = []

    def push(number: int, place: str) -> None:
        source = f"127.0.1.{number + 1}"
        for one, data in enumerate(sent[place]):
            if one % 3 == 0:  # as where the service is killed between taking a file and saying so
                pushed.push_unheard(place, f"{one}.jpg", data, source=source)
            pushed.push(place, f"{one}.jpg", data, source=source)
            answered.append(data)

    with Consumer(house) as consumer:
        with at_once(*(partial(push, number, place) for number, place in enumerate(sent)), within=90):
            for enough in (70, 150):
                until(lambda enough=enough: len(answered) >= enough, timeout=60)  # type: ignore[misc]
                pushed.service.kill()
                pushed.service.start()
        assert len(answered) == 240
        pushed.service.wait_ready()
        until(lambda: len(consumer.events) >= 240, timeout=60, what="an event for each picture")
        until(pushed.idle, what="nothing left to do")
        for place, pictures in sent.items():
            assert sorted(published(consumer, f"{place} Camera")) == sorted(pictures)
    pushed.service.terminate()
    assert pushed.service.wait() == 0
    with sqlite3.connect(pushed.service.home / "data/journal.db") as journal:
        assert journal.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert journal.execute("SELECT count(*) FROM snapshots").fetchone() == (240,)
    assert not list((pushed.service.home / "data").rglob("*.part"))
    assert pushed.quarantined == []


def fin(camera: ftplib.FTP, connection: socket.socket) -> None:
    connection.close()
    camera.close()


def fin_of_the_data_only(camera: ftplib.FTP, connection: socket.socket) -> None:
    connection.close()
    assert camera.voidresp().startswith("226")  # all that FTP knows


def rst(camera: ftplib.FTP, connection: socket.socket) -> None:
    reset(connection)
    assert camera.sock is not None
    reset(camera.sock)


def silence(camera: ftplib.FTP, connection: socket.socket) -> None:
    connection.settimeout(10)
    assert connection.recv(1) == b""
    with pytest.raises(ftplib.error_temp, match="421"):
        camera.voidresp()


@pytest.mark.long
def test_an_upload_that_is_cut_makes_no_event_until_it_is_sent_again(launch: Launch, house: House) -> None:
    cuts = (fin, fin_of_the_data_only, rst, silence)
    sent = {f"{cut.__name__}-{tenths}": (cut, tenths) for cut in cuts for tenths in (2, 6, 9)}
    pictures = {name: picture(name, LARGE) for name in sent}
    pushed = Pushed(launch, house, "Yard", ftp={"stall_timeout": 1}, uploads={"patience": 3}).start()

    def push_and_cut(name: str) -> None:
        cut, tenths = sent[name]
        data = pictures[name]
        with pushed.camera("Yard", source=f"127.0.1.{tenths}") as ftp:
            connection = ftp.transfercmd(f"STOR {name}.jpg")
            connection.sendall(data[: len(data) * tenths // 10])
            cut(ftp, connection)

    def again(name: str) -> None:
        pushed.push("Yard", f"{name}.jpg", pictures[name])

    # Of a reset one may be left with nothing, for it takes along what was not read yet.
    at_the_end = [name for name, (cut, tenths) in sent.items() if tenths == 9 and cut is not rst]
    with Consumer(house) as consumer:
        with at_once(*(partial(push_and_cut, name) for name in sent)):
            pass
        assert published(consumer, "Yard Camera") == []
        with at_once(*(partial(again, name) for name in sent if name not in at_the_end)):
            pass  # before anybody has given the pieces up
        until(lambda: len(pushed.quarantined) == len(at_the_end), what="the pieces that nobody sent again")
        assert sorted(map(len, pushed.quarantined)) == sorted(len(pictures[name]) * 9 // 10 for name in at_the_end)
        for name in at_the_end:
            again(name)
        until(lambda: len(consumer.events) >= len(sent), what="an event for each picture")
        until(pushed.idle, what="nothing left to do")
    assert sorted(published(consumer, "Yard Camera")) == sorted(pictures.values())
    assert len(consumer.events) == len(sent)


# -- bursts -------------------------------------------------------------------------------------------


@pytest.mark.long
def test_a_burst_settles_into_one_event_with_the_person_in_it(launch: Launch, house: House) -> None:
    empty = [encoded(scene(), quality=quality) for quality in (80, 85, 90, 95)]
    person = encoded(scene([(640, 420)]))
    pushed = Pushed(launch, house, "Yard", detector="hog", uploads={"settle": 10}).start()
    with Consumer(house) as consumer:
        with pushed.camera("Yard") as ftp:
            for number, data in enumerate([*empty[:2], person, *empty[2:]]):
                store(ftp, f"{number}.jpg", data)
        (event,) = until(lambda: consumer.latest, what="the event of the burst")
        until(pushed.idle, what="nothing left to do")
        assert len(consumer.events) == 1
    assert (event.entry["image"], event.entry["person_count"]) == (person, 1)
    related = pushed.service.http("GET", f"/api/snapshots/{event.message_id}").json()["related"]
    others = [pushed.service.http("GET", f"/api/snapshots/{one}") for one in related]
    assert [other.json()["related"] for other in others] == [[event.message_id]] * 4
    images = [pushed.service.http("GET", f"/api/snapshots/{one}/image").content for one in related]
    assert sorted(images) == sorted(empty)


# -- other ways in, and what does not get in ----------------------------------------------------------


def test_what_came_while_the_service_was_down_is_taken_up_once(launch: Launch, house: House) -> None:
    pushed = Pushed(launch, house, "Front Door")
    by_hand, twice = picture("by hand"), picture("twice")
    place = pushed.area / UPLOADS / "frontdoor/20260304"
    place.mkdir(parents=True)
    (place / "a.jpg").write_bytes(by_hand)
    with Consumer(house) as consumer:
        pushed.start()
        (event,) = until(lambda: consumer.latest, what="the event")
        assert (event.entry["image"], event.entry["origin"]) == (by_hand, "folder")
        assert (event.entry["device_key"], event.routing_key) == (
            "Front Door Camera",
            "event.notify.snapshot.garage.image",
        )
        pushed.service.terminate()
        assert pushed.service.wait() == 0
        (place / "a.jpg").write_bytes(by_hand)  # and the same again: a copy that a tool has synced once more
        pushed.start()
        for name in ("b.jpg", "b.jpg", "c.jpg"):
            pushed.push("Front Door", name, twice)
        until(lambda: len(consumer.events) >= 2)
        until(pushed.idle, what="nothing left to do")
    assert published(consumer, "Front Door Camera") == [by_hand, twice]
    assert pushed.service.metric("snapshots_total", camera="Front Door Camera", outcome="duplicate") == 3


def test_a_mailed_picture_becomes_an_event(launch: Launch, house: House) -> None:
    (port,) = free_ports(1)
    mail = {"enabled": True, "host": "127.0.0.1", "port": port, "username": USER, "password": PASSWORD}
    pushed = Pushed(launch, house, "Front Door", mail=mail).start()
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "cam@home", "frontdoor@home", "Motion detected"
    message.set_content("Somebody is there.")
    pictures = [picture("mailed"), picture("mailed too")]
    for number, data in enumerate(pictures):
        message.add_attachment(data, maintype="image", subtype="jpeg", filename=f"{number}.jpg")
    with Consumer(house) as consumer:
        with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
            client.login(USER, PASSWORD)
            client.send_message(message)
        until(lambda: len(consumer.events) >= 2, what="an event for each picture")
        until(pushed.idle, what="nothing left to do")
    assert published(consumer, "Front Door Camera") == pictures
    assert {event.entry["origin"] for event in consumer.latest} == {"mail"}


def test_what_is_no_picture_is_kept_with_its_reason_and_said_by_check(launch: Launch, house: House) -> None:
    pushed = Pushed(launch, house, "Yard").start()
    whole, text = picture("whole"), b"not a picture at all\n" * 50
    piece, stranger = picture("piece")[:-700], picture("whose")
    with Consumer(house) as consumer:
        with pushed.camera("Yard") as ftp:
            for name, data in {"readme.txt": text, "piece.jpg": piece, "whole.jpg": whole}.items():
                store(ftp, name, data)
            ftp.cwd("/")
            store(ftp, f"{UPLOADS}/cellar/x.jpg", stranger)
        until(lambda: len(pushed.quarantined) == 3, what="the quarantine")
        until(lambda: len(consumer.events) >= 1)
        until(pushed.idle, what="nothing left to do")
    assert published(consumer, "Yard Camera") == [whole]
    assert len(consumer.events) == 1
    assert sorted(pushed.quarantined) == sorted([text, piece, stranger])
    said = pushed.service.command("check").stdout
    for name, reason in {
        "yard/readme.txt": "not_an_image",
        "yard/piece.jpg": "truncated",
        "cellar/x.jpg": "unknown_camera",
    }.items():
        assert f"quarantine: {UPLOADS}/{name}: {reason}: " in said


def test_who_guesses_passwords_is_kept_out_and_a_camera_is_not(launch: Launch, house: House) -> None:
    pushed = Pushed(launch, house, "Yard", ftp={"ban_after": 6}).start()
    pictures = [picture(f"meanwhile {number}") for number in range(20)]

    def guess() -> None:
        for turn in range(10):
            with contextlib.suppress(*ftplib.all_errors), contextlib.closing(ftplib.FTP()) as ftp:
                ftp.connect("127.0.0.1", pushed.port, timeout=10, source_address=("127.0.0.9", 0))
                for number in range(3):
                    with contextlib.suppress(ftplib.error_perm):
                        ftp.login(USER, f"guess {turn} {number}")

    def push() -> None:
        with pushed.camera("Yard") as ftp:
            for number, data in enumerate(pictures):
                store(ftp, f"{number}.jpg", data)
                time.sleep(0.2)

    with Consumer(house) as consumer:
        with at_once(guess, push):
            pass
        until(lambda: len(consumer.events) >= len(pictures), what="an event for each picture")
    assert published(consumer, "Yard Camera") == pictures
    with pytest.raises((ftplib.Error, OSError, EOFError)), pushed.camera("Yard", source="127.0.0.9"):
        pass  # with the right password
    assert pushed.service.metric("triggers_total", origin="ftp", outcome="banned") == 1
    said = pushed.service.command("check").stdout
    assert "bans: 127.0.0.9 is banned until" in said
    assert "127.0.0.1 is banned" not in said
