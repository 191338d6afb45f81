"""The camera that the page builds is one."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.cameras import CameraError
from app.cameras.address import Networks
from tests.unit.docs.pages import blocks

PAGE = "docs/architecture/adding-an-adapter.md"


def test_the_camera_of_the_page_works(tmp_path: Path) -> None:
    (source,) = (block.text for block in blocks("python") if block.page == PAGE and "class Poster:" in block.text)
    (tmp_path / "poster.py").write_text(source, encoding="utf-8")
    module = imported(tmp_path / "poster.py")
    settings = module.PosterSettings(location="Attic", path=tmp_path / "attic.jpg", max_bytes=1000)
    camera = module.Poster(settings, networks=Networks())
    with pytest.raises(CameraError, match="no_file"):
        camera.snapshot()
    settings.path.write_bytes(b"a picture")
    assert camera.snapshot().data == b"a picture"
    settings.path.write_bytes(bytes(1001))
    with pytest.raises(CameraError, match="too_large"):
        camera.snapshot()


def test_the_configuration_of_the_page_is_that_of_its_camera(tmp_path: Path) -> None:
    (source,) = (block.text for block in blocks("python") if block.page == PAGE and "class Poster:" in block.text)
    (shown,) = (block.text for block in blocks("yaml") if block.page == PAGE)
    (tmp_path / "poster.py").write_text(source, encoding="utf-8")
    (camera,) = yaml.safe_load(shown)["cameras"]
    assert imported(tmp_path / "poster.py").PosterSettings(**camera).device_key == "Attic Camera"


def imported(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location("camera_of_the_page", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # pydantic looks up names of types there
    try:
        spec.loader.exec_module(module)
    finally:
        del sys.modules[spec.name]
    return module
