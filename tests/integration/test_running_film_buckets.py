"""A running film between buckets, as moto plays them: pictures to be shown, dated originals, the film."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.bootstrap.running_films import running_film_of
from app.cli.check.objects import running_films
from app.config.settings import Settings, load
from app.films.running import RunningFilm, Standing
from app.journal import Journal
from pylib.errors import Transient
from tests.aws import LOGIN, Aws
from tests.e2e.process import until
from tests.fakes.running_films import brought_up, shade, shades
from tests.simulators.line import Line


@pytest.fixture
def line(aws: Aws) -> Iterator[Line]:
    with Line(int(aws.port)) as one:
        yield one


@pytest.fixture
def settings(tmp_path: Path, aws: Aws, line: Line, name: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for variable, value in LOGIN.items():
        monkeypatch.setenv(variable, value)
    aws.bucket(name)
    config = tmp_path / "config.yml"
    config.write_text(
        f"""
running_films:
  - name: House
    stamp: {{position: none}}
    buckets:
      pictures: {{bucket: {name}, prefix: to do/}}
      originals: {{bucket: {name}, prefix: by date/}}
      films: {{bucket: {name}, prefix: films/}}
      endpoint_url: http://127.0.0.1:{line.port}
      path_style: true
"""
    )
    return load(config, {"DATA_DIR": str(tmp_path / "data"), "TIME_ZONE": "UTC"})


@pytest.fixture
def film(settings: Settings, journal: Journal) -> RunningFilm:
    return running_film_of(settings.running_films[0], settings, journal)


def test_pictures_of_a_bucket_become_dated_originals_and_a_film(
    aws: Aws, film: RunningFilm, line: Line, name: str, tmp_path: Path, settings: Settings
) -> None:
    s3 = aws.client("s3")

    def put(key: str, number: int) -> None:
        s3.put_object(Bucket=name, Key=f"to do/{key}", Body=shade(number))

    def keys(prefix: str) -> list[str]:
        return [one["Key"] for one in s3.list_objects_v2(Bucket=name, Prefix=prefix).get("Contents", ())]

    def shown() -> list[int]:
        (key,) = keys("films/")
        (tmp_path / "there.mp4").write_bytes(s3.get_object(Bucket=name, Key=key)["Body"].read())
        return shades(tmp_path / "there.mp4")

    assert [finding.verdict.name for finding in running_films(settings)] == ["OK", "OK"]
    put("2026-03-01.jpg", 1)
    put("deep/2026-03-03 07.08.09.png", 3)
    put("no date.jpg", 5)
    put("notes.txt", 6)
    assert brought_up(film) == Standing(shown=2, undated=1)
    assert shown() == [1, 3]
    assert [key[:26] for key in keys("by date/")] == ["by date/2026/03/2026-03-01", "by date/2026/03/2026-03-03"]
    kept = s3.head_object(Bucket=name, Key=keys("by date/")[1])
    assert (kept["ContentType"], kept["Metadata"]["snapshot-processor"]) == ("image/png", "film")
    put("2026-03-02.jpg", 2)
    line.cut()
    with pytest.raises(Transient):
        film.take_in()
    line.mend()
    assert film.take_in() == 1
    line.cut()
    with pytest.raises(Transient):
        film.bring_up()
    line.mend()
    assert until(lambda: brought_up_again(film)) == Standing(shown=3, undated=1)
    assert shown() == [1, 2, 3]
    assert len(keys("by date/")) == 3


def brought_up_again(film: RunningFilm) -> Standing | None:
    """None while the bucket is left in peace, since it could not be reached."""
    try:
        return film.bring_up()
    except Transient:
        return None


def test_what_we_wrote_ourselves_is_not_taken_in_and_a_film_that_is_there_is_not_sent_again(
    aws: Aws, film: RunningFilm, name: str
) -> None:
    s3 = aws.client("s3")
    ours = {"snapshot-processor": "film"}
    s3.put_object(Bucket=name, Key="to do/2026-03-02.jpg", Body=shade(2), Metadata=ours)
    s3.put_object(Bucket=name, Key="to do/2026-03-01.jpg", Body=shade(1))
    assert brought_up(film) == Standing(shown=1, passed=1)
    (sent,) = s3.list_objects_v2(Bucket=name, Prefix="films/")["Contents"]
    s3.put_object_tagging(Bucket=name, Key=sent["Key"], Tagging={"TagSet": [{"Key": "seen", "Value": "yes"}]})
    film.bring_up()
    assert s3.get_object_tagging(Bucket=name, Key=sent["Key"])["TagSet"], "it was sent again"
    s3.delete_object(Bucket=name, Key=sent["Key"])
    film.bring_up()
    assert "Contents" in s3.list_objects_v2(Bucket=name, Prefix="films/")
