"""Animations of an event's pictures: frames, pace, shape, and the limit of bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, features

from app.media.animation import FORMATS, MOST_PICTURES, AnimationFormat, NotAnimated, Style, animate
from tests.fakes.pictures import busy, encoded, turned

COLOURS = ("#c00000", "#00c000", "#0000c0", "#c0c000")


def saved(folder: Path, pictures: Sequence[Image.Image | bytes]) -> list[Path]:
    """One file each."""
    folder.mkdir(exist_ok=True)
    paths = [folder / f"{number}.jpg" for number in range(len(pictures))]
    for path, picture in zip(paths, pictures, strict=True):
        path.write_bytes(picture if isinstance(picture, bytes) else encoded(picture))
    return paths


def plain(width: int = 96, height: int = 64, count: int = 4) -> list[Image.Image]:
    return [Image.new("RGB", (width, height), COLOURS[number % 4]) for number in range(count)]


def frames_of(path: Path) -> list[Image.Image]:
    """Every frame, whatever the format."""
    if path.suffix == ".mp4":
        with av.open(str(path)) as film:
            return [frame.to_image() for frame in film.decode(video=0)]  # type: ignore[no-untyped-call]
    with Image.open(path) as image:
        frames = []
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            frames.append(image.convert("RGB"))
        return frames


def is_like(image: Image.Image, colour: str) -> bool:
    """In its middle."""
    found = image.getpixel((image.width // 2, image.height // 2))
    wanted = Image.new("RGB", (1, 1), colour).getpixel((0, 0))
    assert isinstance(found, tuple)
    assert isinstance(wanted, tuple)
    return all(abs(one - other) < 24 for one, other in zip(found, wanted, strict=True))


@pytest.mark.parametrize("kind", FORMATS)
def test_the_pictures_come_in_their_order_and_at_their_pace(tmp_path: Path, kind: AnimationFormat) -> None:
    paths = saved(tmp_path / "in", plain())
    made = animate(paths, tmp_path / f"out.{kind}", kind, Style(pace=0.25))
    frames = frames_of(made.path)
    assert (made.width, made.height, made.pictures, made.left_out, made.letterboxed) == (96, 64, 4, 0, 0)
    assert made.frames == len(frames)
    assert made.duration_s == pytest.approx(1.0)
    assert made.size == made.path.stat().st_size
    each = len(frames) // 4
    assert all(is_like(frames[number * each], colour) for number, colour in enumerate(COLOURS))


@pytest.mark.parametrize("kind", ["gif", "webp"])
def test_players_are_told_the_pace_and_to_begin_again(tmp_path: Path, kind: AnimationFormat) -> None:
    made = animate(saved(tmp_path / "in", plain()), tmp_path / f"out.{kind}", kind, Style(pace=0.3))
    with Image.open(made.path) as image:
        image.load()
        assert (image.info["duration"], image.info["loop"]) == (300, 0)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_boomerang_runs_back_to_its_beginning(tmp_path: Path, kind: AnimationFormat) -> None:
    made = animate(saved(tmp_path / "in", plain()), tmp_path / f"out.{kind}", kind, Style(pace=0.05, boomerang=True))
    found = [
        next(number for number, colour in enumerate(COLOURS) if is_like(frame, colour))
        for frame in frames_of(made.path)
    ]
    assert found == [0, 1, 2, 3, 2, 1]
    assert made.pictures == 4


def test_all_frames_share_one_palette_that_knows_all_their_colours(tmp_path: Path) -> None:
    made = animate(saved(tmp_path / "in", plain()), tmp_path / "out.gif", "gif", Style())
    data = made.path.read_bytes()
    assert data[10] & 0x80, "the file has a palette"
    assert list(flags_of_frames(data)) == [0, 0, 0, 0], "and no frame one of its own"


def flags_of_frames(data: bytes) -> Iterator[int]:
    """The bits of each frame that say whether it has a palette (GIF89a, 20)."""
    at = 13 + 3 * 2 ** ((data[10] & 7) + 1)
    while data[at] != 0x3B:
        if data[at] == 0x2C:
            yield data[at + 9] & 0x80
            local = 3 * 2 ** ((data[at + 9] & 7) + 1) if data[at + 9] & 0x80 else 0
            at += 11 + local
        else:
            at += 2
        while data[at]:
            at += data[at] + 1
        at += 1


def test_pictures_stand_upright_and_those_of_another_shape_get_bars(tmp_path: Path) -> None:
    lying = turned(Image.new("RGB", (96, 64), "#00c000"), 6)
    tall = Image.new("RGB", (64, 96), "#0000c0")
    paths = saved(tmp_path / "in", [Image.new("RGB", (96, 64), "#c00000"), lying, tall])
    made = animate(paths, tmp_path / "out.gif", "gif", Style())
    first, second, third = frames_of(made.path)
    assert first.size == second.size == third.size == (96, 64)
    assert is_like(second, "#00c000")
    assert is_like(second.crop((0, 0, 4, 4)), "#00c000")
    assert is_like(third, "#0000c0")
    assert is_like(third.crop((0, 0, 4, 4)), "#000000")
    assert made.letterboxed == 1


def test_a_broken_picture_is_left_out_and_two_make_an_animation(tmp_path: Path) -> None:
    red, green, blue, _ = plain()
    paths = saved(tmp_path / "in", [red, encoded(green)[:-40], b"", blue])
    paths.append(tmp_path / "gone.jpg")
    made = animate(paths, tmp_path / "out.gif", "gif", Style())
    assert (made.pictures, made.left_out, made.frames) == (2, 3, 2)
    with pytest.raises(NotAnimated, match="1 of 2 pictures") as raised:
        animate(paths[:2], tmp_path / "no.gif", "gif", Style())
    assert raised.value.code == "one_picture"
    assert not (tmp_path / "no.gif").exists()


@settings(max_examples=5)
@given(
    kind=st.sampled_from(FORMATS),
    count=st.integers(2, 5),
    side=st.integers(40, 200),
    limit=st.integers(25_000, 60_000),  # five pictures of noise at the least size take 21,000
)
def test_the_limit_of_bytes_is_kept_by_smaller_sizes(
    tmp_path: Path, kind: AnimationFormat, count: int, side: int, limit: int
) -> None:
    paths = saved(tmp_path / "in", [busy(side, side * 3 // 4) for _ in range(count)])
    made = animate(paths, tmp_path / f"out.{kind}", kind, Style(size=160, pace=0.05, max_bytes=limit))
    assert made.path.stat().st_size <= limit
    assert max(made.width, made.height) <= min(160, side)
    assert made.pictures == count


def test_what_fits_no_limit_is_not_made(tmp_path: Path) -> None:
    paths = saved(tmp_path / "in", [busy(80, 60), busy(80, 60)])
    with pytest.raises(NotAnimated, match="1000 are allowed") as raised:
        animate(paths, tmp_path / "out.gif", "gif", Style(max_bytes=1000))
    assert raised.value.code == "animation_too_large"
    assert list(tmp_path.glob("*.gif")) == []


def test_of_very_many_pictures_some_are_left_out_all_over(tmp_path: Path) -> None:
    paths = saved(tmp_path / "in", plain(16, 16, count=4)) * 20
    made = animate(paths, tmp_path / "out.gif", "gif", Style())
    assert MOST_PICTURES // 2 < made.pictures <= MOST_PICTURES


def test_small_pictures_are_not_enlarged(tmp_path: Path) -> None:
    made = animate(saved(tmp_path / "in", plain(40, 30)), tmp_path / "out.webp", "webp", Style(size=480))
    assert (made.width, made.height) == (40, 30)


def test_a_pillow_without_webp_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "check", lambda _name: False)
    with pytest.raises(NotAnimated, match="writes no WebP"):
        animate(saved(tmp_path / "in", plain()), tmp_path / "out.webp", "webp", Style())
