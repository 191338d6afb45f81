"""What holds more than a picture does is shown to no decoder; what follows a picture does it no harm."""

from __future__ import annotations

import struct
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageFile
from PIL.WebPImagePlugin import WebPImageFile

from app.media import container
from app.media.completeness import looks_complete
from app.media.picture import BadPicture, describe, examine, exif, upright
from tests.fakes.pictures import busy, encoded, heic

SMALL = busy(320, 240)
JPEG, PNG, WEBP = encoded(SMALL), encoded(SMALL, "PNG"), encoded(SMALL, "WEBP")
HEIC = heic(Image.linear_gradient("L").convert("RGB").resize((320, 240)))


def jpeg_with(header: bytes) -> bytes:
    return JPEG[:2] + header + JPEG[2:]


def chunk(name: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_with(chunks: bytes) -> bytes:
    at = PNG.index(b"IDAT") - 4
    return PNG[:at] + chunks + PNG[at:]


def png_in_pieces(png: bytes, size: int) -> bytes:
    """As an encoder writes it that has no memory to spare."""
    at = png.index(b"IDAT") - 4
    data = b""
    end = at
    while png[end + 4 : end + 8] == b"IDAT":
        length = int.from_bytes(png[end : end + 4])
        data += png[end + 8 : end + 8 + length]
        end += 12 + length
    return png[:at] + b"".join(chunk(b"IDAT", data[n : n + size]) for n in range(0, len(data), size)) + png[end:]


def webp_with(chunks: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", len(WEBP) - 8 + len(chunks)) + WEBP[8:] + chunks


def heic_with(boxes: bytes) -> bytes:
    at = int.from_bytes(HEIC[:4])
    return HEIC[:at] + boxes + HEIC[at:]


BOMBS: dict[str, Callable[[], bytes]] = {
    "empty segments": lambda: jpeg_with(b"\xff\xe5\0\2" * 300),
    "empty comments": lambda: jpeg_with(b"\xff\xfe\0\2" * 300),
    "markers": lambda: jpeg_with(b"\xff\x01" * 300),
    "long comments": lambda: jpeg_with((b"\xff\xfe\xff\xff" + bytes(65_533)) * 16),
    "tables": lambda: jpeg_with((b"\xff\xdb\xff\xff" + bytes(65_533)) * 16),
    "fill bytes": lambda: jpeg_with(b"\xff" * 70_000),
    "fill bytes to the end": lambda: JPEG[:2] + b"\xff" * 70_000,
    "bytes of no segment": lambda: jpeg_with(b"\xff\xe5\0\2" + bytes(70_000)),
    "segments without a picture": lambda: JPEG[:2] + b"\xff\xe5\0\2" * 300,
    "segments behind an end mark": lambda: jpeg_with(b"\xff\xd9" + b"\xff\xe5\0\2" * 300),
    "png texts": lambda: png_with(chunk(b"tEXt", b"a\0b") * 300),
    "long png texts": lambda: png_with(chunk(b"tEXt", b"a\0" + bytes(100_000)) * 11),
    "compressed png texts": lambda: png_with(chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(900_000))) * 17),
    "compressed png texts of the world": lambda: png_with(
        chunk(b"iTXt", b"a\0\1\0\0\0" + zlib.compress(bytes(900_000))) * 17
    ),
    "png profiles": lambda: png_with(chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(900_000))) * 17),
    "empty png data": lambda: png_with(chunk(b"IDAT") * 17_000),
    "png data in crumbs": lambda: png_with(chunk(b"IDAT", bytes(32)) * 17_000),
    "png frames": lambda: png_with(chunk(b"fcTL", bytes(26)) * 17_000),
    "webp chunks": lambda: webp_with(b"JUNK\0\0\0\0" * 300),
    "long webp chunks": lambda: webp_with((b"EXIF" + struct.pack("<I", 600_000) + bytes(600_000)) * 2),
    "webp frames": lambda: webp_with(b"ANMF\0\0\0\0" * 17_000),
    "heic boxes": lambda: heic_with(b"\0\0\0\x08free" * 300),
    "a long heic box": lambda: heic_with(struct.pack(">I", 1_100_008) + b"free" + bytes(1_100_000)),
    "a bmp of run lengths": lambda: (
        b"BM" + struct.pack("<IHHIIiiHHII", 99, 0, 0, 54, 40, 4000, 4000, 1, 8, 1, 45) + bytes(65)
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_file_that_holds_more_than_a_picture_does_is_shown_to_no_decoder(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    data = BOMBS[name]()
    for plugin in (ImageFile.ImageFile, WebPImageFile):
        monkeypatch.setattr(plugin, "__init__", lambda *_: pytest.fail("a decoder saw it"))
    for read in (examine, describe, upright, exif):
        with pytest.raises(BadPicture) as refused:
            read(data)
        assert refused.value.code == ("pixel_bomb" if "bmp" in name else "metadata_bomb")
    (tmp_path / "file").write_bytes(data)
    assert not looks_complete(tmp_path / "file")


def test_a_file_of_millions_of_segments_costs_no_memory() -> None:
    data = jpeg_with(b"\xff\xe5\0\2" * 11_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(BadPicture, match="metadata_bomb"):
            examine(data)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


LONG_SIZE = b"\0\0\0\x10ftypheic" + bytes(4) + b"\0\0\0\x08meta" + struct.pack(">I4sQ", 1, b"mdat", 20) + bytes(4)
"""A HEIC whose last box has its size in 64 bits."""


@pytest.mark.parametrize("size", [1, 97])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIC", "HEIC, long size"])
def test_a_file_that_arrives_in_pieces_ends_with_its_last_byte_and_not_before(kind: str, size: int) -> None:
    data = {"JPEG": encoded(busy(32, 16)), "PNG": PNG, "WEBP": WEBP, "HEIC": HEIC}.get(kind, LONG_SIZE)
    arrived = bytearray()
    walk = container.walk(kind.partition(",")[0], lambda at, count: bytes(arrived[at : at + count]))
    ends = []
    for at in range(0, len(data), size):
        arrived += data[at : at + size]
        ends.append(next(walk))
    assert ends == [0] * (len(ends) - 1) + [len(data)]


AMPLE: dict[str, Callable[[], bytes]] = {
    "segments": lambda: jpeg_with(b"\xff\xe5\0\2" * 200),
    "metadata": lambda: jpeg_with((b"\xff\xe5\xff\xff" + bytes(65_533)) * 14),
    "fill bytes": lambda: jpeg_with(b"\xff" * 60_000),
    "texts": lambda: png_with(chunk(b"tEXt", b"a\0b") * 200),
    "small pieces": lambda: encoded(busy(1280, 720), "PNG"),
    "pieces of 100 bytes": lambda: png_in_pieces(encoded(busy(1280, 720), "PNG"), 100),
    "frames": lambda: encoded(SMALL, "PNG", save_all=True, append_images=[busy(320, 240) for _ in range(20)]),
    "many frames": lambda: encoded(
        busy(8, 8), "PNG", save_all=True, append_images=[busy(8, 8 + n % 2) for n in range(300)]
    ),
    "webp frames": lambda: encoded(SMALL, "WEBP", save_all=True, append_images=[busy(320, 240) for _ in range(20)]),
}


@pytest.mark.parametrize("name", AMPLE)
def test_ample_metadata_is_no_bomb(name: str) -> None:
    assert examine(AMPLE[name]())


def ifd(*entries: tuple[int, int, int, int], then: int = 0) -> bytes:
    packed = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return struct.pack("<H", len(entries)) + packed + struct.pack("<I", then)


def with_exif(tiff: bytes) -> bytes:
    segment = b"Exif\0\0" + tiff
    return jpeg_with(b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment)


@pytest.mark.filterwarnings("ignore:Tag data larger than file")
def test_exif_whose_values_all_lie_in_one_place_costs_no_more_than_it_holds() -> None:
    """64 kB that would be 40 MB."""
    tags = [(tag, 7, 40_000, 10) for tag in range(0x8000, 0x8000 + 1_000)]
    data = with_exif((b"II*\0\x08\0\0\0" + ifd(*tags)).ljust(65_000, b"\0"))
    tracemalloc.start()
    try:
        assert examine(data).width == 320
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


def test_exif_that_goes_round_in_circles_ends() -> None:
    orientation = (0x0112, 3, 1, 6)
    data = with_exif(b"II*\0\x08\0\0\0" + ifd(orientation, (0x8769, 4, 1, 8), then=8))
    assert describe(data).width == 240
    assert exif(data).get_ifd(0x8769)


WHOLE = {
    "jpeg": JPEG,
    "progressive jpeg": encoded(SMALL, progressive=True),
    "jpeg with restart markers": encoded(SMALL, restart_marker_rows=1),
    "a comment shorter than it says": jpeg_with(b"\xff\xfe\0\x05abc"),
    "a comment longer than it says": jpeg_with(b"\xff\xfe\0\x05abcdefghi"),
    "a comment of length 0": jpeg_with(b"\xff\xfe\0\0"),
    "png": PNG,
    "webp": WEBP,
    "bmp": encoded(SMALL, "BMP"),
    "a bmp that does not know its size": (bmp := encoded(SMALL, "BMP"))[:2] + bytes(4) + bmp[6:],
    "a bmp that thinks that it is larger": bmp[:2] + struct.pack("<I", len(bmp) + 500) + bmp[6:],
    "a bmp upside down": bmp[:22] + struct.pack("<i", -240) + bmp[26:],
    "palette bmp": encoded(SMALL.convert("P"), "BMP"),
    "black and white bmp": encoded(SMALL.convert("1"), "BMP"),
    "heic": HEIC,
}
BEHIND = {
    "nothing": b"",
    "a camera's mark": b"dhav\x10\0\0\0",
    "a trailer": bytes(range(256)) * 80,
    "a motion photo's film": struct.pack(">I", 24) + b"ftypmp42" + bytes(40_000),
    "zeros": bytes(20_000),
    "a second picture": encoded(busy(64, 48)),
    "half a picture": encoded(busy(64, 48))[:900],
    "an end mark and more": b"\xff\xd9\0\0\1\2\3",
}


@pytest.mark.parametrize("behind", BEHIND)
@pytest.mark.parametrize("name", WHOLE)
def test_a_picture_with_something_behind_its_end_is_whole_and_looks_it(name: str, behind: str, tmp_path: Path) -> None:
    data = WHOLE[name] + BEHIND[behind]
    assert (examine(data).width, examine(data).height) == (320, 240)
    (tmp_path / "file").write_bytes(data)
    assert looks_complete(tmp_path / "file")


def test_but_half_a_picture_is_none_whatever_follows_a_thumbnail(tmp_path: Path) -> None:
    data = encoded(SMALL, exif=Image.Exif().tobytes() + encoded(busy(80, 60)))
    scan = data.index(b"\xff\xda", data.index(b"\xff\xd9"))
    for cut in (scan - 5, scan + 100, len(data) - 3):
        (tmp_path / "file").write_bytes(data[:cut])
        assert not looks_complete(tmp_path / "file")
        with pytest.raises(BadPicture, match="truncated"):
            examine(data[:cut])


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_a_heic_is_seen_as_every_other_picture(mode: str) -> None:
    image = Image.new("RGB", (64, 48), (200, 30, 30)).convert(mode)
    seen = upright(heic(image))
    assert seen.size == (64, 48)
    expected = image.convert("RGB").getpixel((9, 9))
    assert seen.getpixel((9, 9)) == pytest.approx(expected, abs=6)


def test_a_heic_cut_short_is_found(tmp_path: Path) -> None:
    for tenth in range(1, 10):
        cut = HEIC[: len(HEIC) * tenth // 10]
        with pytest.raises(BadPicture, match="truncated"):
            examine(cut)
        (tmp_path / "file").write_bytes(cut)
        assert not looks_complete(tmp_path / "file")


def test_without_its_library_a_heic_is_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.media.picture._heif_plugin", lambda: None)
    with pytest.raises(BadPicture, match=r"unsupported_format: .*pillow-heif"):
        examine(HEIC)
