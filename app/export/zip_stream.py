"""A ZIP file that is written as it is sent (PKWARE's APPNOTE 6.3.10, with ZIP64 where it has to be)."""

from __future__ import annotations

import struct
import zlib
from datetime import datetime

STORED, DEFLATED = 0, 8
UTF8 = 0x800
"""The flag that names are UTF-8."""
NEEDS, NEEDS_ZIP64 = 20, 45
"""The version of the format that a reader has to know."""
UNIX = 3 << 8
FILE_MODE = 0o100644 << 16
MOST, MOST_16 = 0xFFFFFFFF, 0xFFFF
"""Larger numbers stand in ZIP64's fields."""


class ZipStream:
    """What each method returns is to be written in this order. It keeps about a hundred bytes of each file."""

    def __init__(self) -> None:
        self._offset = 0
        self._count = 0
        self._directory = bytearray()

    def header(self, name: str, data: bytes, *, at: datetime) -> bytes:
        """What comes before a file that is stored as it is; `at`: its time in the zone where it is unpacked."""
        return self._header(name, STORED, zlib.crc32(data), len(data), len(data), at)

    def packed(self, name: str, text: PackedText, *, at: datetime) -> bytes:
        """A file that was packed piece by piece."""
        data = text.finish()
        return self._header(name, DEFLATED, text.crc, text.size, len(data), at) + data

    def end(self) -> bytes:
        """The directory of all files, at the end."""
        start, size, count = self._offset, len(self._directory), self._count
        end = struct.pack(
            "<4s4H2IH", b"PK\5\6", 0, 0, min(count, MOST_16), min(count, MOST_16), min(size, MOST), min(start, MOST), 0
        )
        if count < MOST_16 and start < MOST:
            return bytes(self._directory) + end
        big = struct.pack("<4sQ2H2I4Q", b"PK\6\6", 44, NEEDS_ZIP64 | UNIX, NEEDS_ZIP64, 0, 0, count, count, size, start)
        where = struct.pack("<4sIQI", b"PK\6\7", 0, start + size, 1)
        return bytes(self._directory) + big + where + end

    def _header(self, name: str, method: int, crc: int, size: int, packed: int, at: datetime) -> bytes:
        if max(size, packed) >= MOST:
            raise ValueError("one file of 4 GiB is not foreseen")
        encoded = name.encode()
        year = min(max(at.year, 1980), 2107)
        date, time = (year - 1980) << 9 | at.month << 5 | at.day, at.hour << 11 | at.minute << 5 | at.second // 2
        same = struct.pack("<4H3I2H", UTF8, method, time, date, crc, packed, size, len(encoded), 0)
        header = struct.pack("<4sH", b"PK\3\4", NEEDS) + same + encoded
        self._list(encoded, same)
        self._offset += len(header) + packed
        self._count += 1
        return header

    def _list(self, encoded: bytes, same: bytes) -> None:
        offset, extra = self._offset, b""
        needs = NEEDS
        if offset >= MOST:
            offset, extra, needs = MOST, struct.pack("<2HQ", 1, 8, offset), NEEDS_ZIP64
        fields = same[:-2] + struct.pack("<4H2I", len(extra), 0, 0, 0, FILE_MODE, offset)
        self._directory += struct.pack("<4s2H", b"PK\1\2", needs | UNIX, needs) + fields + encoded + extra


class PackedText:
    """Text that is packed as it grows."""

    def __init__(self) -> None:
        self._packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
        self._data = bytearray()
        self.crc = 0
        self.size = 0
        """Bytes before packing."""

    def add(self, text: str) -> None:
        encoded = text.encode()
        self.crc, self.size = zlib.crc32(encoded, self.crc), self.size + len(encoded)
        self._data += self._packer.compress(encoded)

    def finish(self) -> bytes:
        """All of it, packed."""
        return bytes(self._data + self._packer.flush())
