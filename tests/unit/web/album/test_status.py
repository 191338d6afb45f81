"""The status page: it says "well" of nothing that was not seen to work, and names what fails with what to do."""

from __future__ import annotations

from pathlib import Path

from app.jobs.deletion import DeletePictures, Deletion
from app.journal.deletion import Doomed
from app.monitoring.sentences import status_of
from app.web.context import WebContext
from pylib.observability.health import Status
from tests.fakes.web import FRONT, KITCHEN, NOW, Client, shown
from tests.unit.web.album.pages import Read, look

REFUSED = "login_refused: it answered 401"


def expecting(context: WebContext) -> WebContext:
    """With the checks that the service makes of what it expects."""
    outcomes, health = context.outcomes, context.health
    for key, label in ((FRONT, "Front"), (KITCHEN, "Küche")):
        outcomes.expect("camera", key, title=label, kind="still")
    outcomes.expect("detector", "codeproject", title="CodeProject.AI", kind="codeproject")
    health.add("cameras", lambda: status_of(outcomes.all("camera"), 0.0), critical=False, alarm=True)
    health.add("detector", lambda: status_of(outcomes.all("detector"), 0.0), critical=False, alarm=True)
    return context


def headline(client: Client) -> tuple[Read, str]:
    page = look(client, "/status")
    return page, " ".join(page.text.split("Up since")[0].split()[-14:])


def test_the_headline_goes_from_grey_to_green_to_red_and_back(context: WebContext, client: Client) -> None:
    report = expecting(context).outcomes.report
    assert headline(client)[1].endswith("Nothing has failed Not tried yet: Front, Küche, Detector: CodeProject.AI.")
    report("camera", FRONT, "ok")
    report("detector", "codeproject", "ok")
    assert headline(client)[1].endswith("Nothing has failed Not tried yet: Küche.")
    report("camera", KITCHEN, "ok")
    assert headline(client)[1].endswith("All systems working Each part was seen to work.")
    for _ in range(2):
        report("detector", "codeproject", "unreachable: nobody is there")
    page, said = headline(client)
    assert said.endswith("Needs attention Detector: CodeProject.AI.")
    assert "2 failures in a row since today" in page.text
    assert "Nobody is there." in page.text
    assert "What to do: is the server on?" in page.text
    report("detector", "codeproject", "ok")
    assert headline(client)[1].endswith("All systems working Each part was seen to work.")


def test_each_camera_says_when_it_worked_and_why_not_and_has_a_bar_of_its_day(
    context: WebContext, client: Client
) -> None:
    report = expecting(context).outcomes.report
    report("camera", FRONT, "ok")
    report("camera", FRONT, REFUSED)
    page = look(client, "/status")
    front, kitchen, _detector = (bar["aria-label"] for bar in page.all("span", "day-bar"))
    assert (front, kitchen) == ("Last 24 hours: 1 worked, 1 failed", "Last 24 hours: nothing")
    assert "It answered 401. Worked last today" in page.text
    assert "It was never asked for a picture." in page.text
    assert [state for bar in page.all("i", "mixed")[1:] for state in bar["class"].split()] == ["mixed"]


def test_a_camera_whose_pictures_were_taken_in_is_not_said_to_have_none(
    tmp_path: Path, context: WebContext, client: Client
) -> None:
    expecting(context)
    shown(context, tmp_path, "imported")
    assert "No new picture yet. The last one is from Wednesday, 4 March" in look(client, "/status").text
    assert look(client, "/status").text.count("It was never asked for a picture.") == 1  # the other camera
    for path in ("/cameras", "/cameras/front-door"):
        page = look(client, path)
        assert "no new picture yet" in page.text
        assert not page.all("p", "lamp-closed")
    assert "not tried yet" not in page.text


def test_what_waits_for_a_person_is_a_hitch_and_no_alarm(context: WebContext, client: Client) -> None:
    letters = Status(ok=True, detail="3 triggers were refused", state="degraded")
    context.health.add("dead letters", lambda: letters, critical=False, alarm=True)
    said = headline(client)[1]
    assert said.endswith("Working, with a hitch Last try failed, or something waits for you: Dead letters.")
    assert context.health.problem() == ""


def test_of_ten_thousand_cameras_those_that_failed_are_shown_and_the_others_counted(
    context: WebContext, client: Client
) -> None:
    for number in range(10_000):
        context.outcomes.expect("camera", f"{number:05} Camera", title=f"Place {number:05}", kind="still")
    context.outcomes.report("camera", "09999 Camera", REFUSED)
    answer = client.get("/status", headers={"Accept": "text/html"})
    assert len(answer.content) < 100_000
    page = look(client, "/status")
    assert len(page.all("span", "day-bar")) == 50
    assert page.text.index("Place 09999") < page.text.index("Place 00000")
    assert "And 9,950 more that have not failed." in page.text


def test_room_is_said_with_the_pace_and_threads_as_workers(context: WebContext, client: Client, tmp_path: Path) -> None:
    for name in ("fetch", "detect"):
        context.health.add(name, lambda: Status(ok=True, detail="progressed 0.1 s ago"), live=True)
    text = " ".join(look(client, "/status").text.split())
    assert "2 workers, all running" in text
    assert "GB free , " in text or "GB free, " in text
    assert "No new pictures in the last week." in text


def test_what_is_not_used_is_grey_and_leaves_the_headline_alone(context: WebContext, client: Client) -> None:
    context.health.add("rules", lambda: status_of([], 0.0), critical=False, alarm=True)
    page, said = headline(client)
    assert "All systems working" in said
    assert not page.all("li", "is-working")
    assert all(row["class"] == "light is-untried" for row in page.all("li", "light"))
    assert "not used" in page.text


def test_a_job_says_what_it_is_about(context: WebContext, client: Client) -> None:
    object.__setattr__(context, "job_titles", {DeletePictures.kind: "Deleting pictures"})
    everything, front = Deletion(Doomed(last=142), 141), Deletion(Doomed(since=NOW, camera=FRONT, last=142), 1)
    for one in (everything, front):
        context.journal.enqueue_job(DeletePictures.kind, one.key, one.arguments)
    context.journal.enqueue_job("film", "0123", {})
    page = look(client, "/status").text
    for words in (
        "Deleting pictures: all cameras, 141 pictures",
        "Deleting pictures: Front, since Wednesday, 4 March, 05:06, 1 picture",
        "film 0123",
    ):
        assert words in page, words
