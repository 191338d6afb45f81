"""What a model's classes are called."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.detectors.onnx.names import OtherClasses, names_of


def test_names_in_metadata_go_by_their_numbers() -> None:
    assert names_of(2, {"names": "{1: 'car', 0: 'person'}"}, None) == ("person", "car")


def test_a_file_of_names_in_another_coding_is_said_to_be_one(tmp_path: Path) -> None:
    file = tmp_path / "names.txt"
    file.write_bytes("Fußgänger".encode("latin-1"))
    with pytest.raises(OtherClasses, match=r"names\.txt is no text in UTF-8"):
        names_of(1, {}, file)
