"""The commands around models, as an operator types them."""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner, Result
from PIL import Image

from app.cli.model import model
from app.detectors.onnx import catalogue
from app.detectors.onnx.folder import digest
from tests.fakes import onnx_models
from tests.fakes.https import Server
from tests.fakes.onnx_models import Thing
from tests.fakes.pictures import encoded

URL = "https://models.example/releases/fox.onnx"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.yml"
    path.write_text(f"data_dir: {tmp_path / 'data'}\n")
    return path


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A model that sees a person, in a folder of its own."""
    (tmp_path / "elsewhere").mkdir()
    return onnx_models.write(tmp_path / "elsewhere" / "fox.onnx", onnx_models.yolov8([Thing((40, 60, 80, 100))]))


@pytest.fixture
def known(made: Path, monkeypatch: pytest.MonkeyPatch) -> catalogue.Known:
    """It stands in the catalogue as yolox-nano, with its own size and hash."""
    is_it = replace(catalogue.CATALOGUE["yolox-nano"], size=made.stat().st_size, sha256=digest(made))
    monkeypatch.setitem(catalogue.CATALOGUE, "yolox-nano", is_it)
    return is_it


def served(monkeypatch: pytest.MonkeyPatch, body: bytes) -> Server:
    """All of https answers with this."""
    server = Server(lambda _: (200, {"Content-Length": str(len(body))}, body))
    monkeypatch.setattr(requests.Session, "get_adapter", lambda _session, url: server)
    return server


def run(config: Path, *arguments: object) -> Result:
    return CliRunner().invoke(model, [str(argument) for argument in arguments], obj=config)


def models(config: Path) -> list[str]:
    folder = config.parent / "data" / "models"
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def test_a_model_of_the_catalogue_is_loaded_verified_and_described(
    config: Path, made: Path, known: catalogue.Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = served(monkeypatch, made.read_bytes())
    added = run(config, "add", "yolox-nano")
    assert added.exit_code == 0
    assert [url for url, _ in server.asked] == [known.url]
    assert "licence Apache-2.0" in added.stderr
    assert "yolox_nano.onnx (YOLOv8, 160 x 160, 80 classes) by onnxruntime" in added.stdout
    assert models(config) == ["yolox_nano.onnx"]
    assert run(config, "add", "yolox-nano").exit_code == 0
    assert len(server.asked) == 1  # it is there


def test_another_file_under_the_same_address_is_not_kept(
    config: Path, made: Path, known: catalogue.Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = made.read_bytes()
    served(monkeypatch, body[:-1] + b"!")
    refused = run(config, "add", "yolox-nano")
    assert (refused.exit_code, models(config)) == (1, [])
    assert "wrong_file: github.com gave another file" in refused.stderr


def test_without_a_network_the_catalogue_s_file_is_taken_and_no_other(
    config: Path, made: Path, known: catalogue.Known, tmp_path: Path
) -> None:
    other = onnx_models.write(tmp_path / "other.onnx", onnx_models.yolov5([]))
    assert run(config, "add", "yolox-nano", "--file", other).exit_code == 1
    assert models(config) == []
    assert run(config, "add", "yolox-nano", "--file", made).exit_code == 0
    assert models(config) == ["yolox_nano.onnx"]
    assert made.exists()


def test_an_address_needs_a_digest(config: Path, made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    served(monkeypatch, made.read_bytes())
    assert run(config, "add", URL).exit_code == 2
    assert run(config, "add", URL, "--sha256", hashlib.sha256(b"").hexdigest()).exit_code == 1
    assert models(config) == []
    assert run(config, "add", URL, "--sha256", digest(made).upper()).exit_code == 0
    assert models(config) == ["fox.onnx"]


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("http://models.example/fox.onnx", "no_https"),
        ("https://models.example/fox.zip", "a model's file ends with .onnx"),
        ("https://models.example/%2e%2e%2fevil.onnx%00", "ends with .onnx"),
        ("https://models.example/yolox_nano.onnx", "is the catalogue's name for yolox-nano"),
        ("yolox-huge", "none of the catalogue's: yolox-nano, yolox-tiny, yolox-s"),
    ],
)
def test_what_cannot_be_added_is_one_line(config: Path, what: str, says: str) -> None:
    refused = run(config, "add", what, "--sha256", "00")
    assert (refused.exit_code, refused.stderr.count("\n"), models(config)) == (1, 1, [])
    assert says in refused.stderr


def test_a_file_that_is_no_usable_model_does_not_replace_one_that_is(config: Path, made: Path, tmp_path: Path) -> None:
    assert run(config, "add", made).exit_code == 0
    made.write_bytes(b"<html>")
    refused = run(config, "add", made)
    assert (refused.exit_code, models(config)) == (1, ["fox.onnx"])
    assert "not_onnx" in refused.stderr
    assert "fox.onnx (YOLOv8" in run(config, "test", _picture(tmp_path)).stdout


def test_a_model_that_names_nothing_is_added_once_the_settings_name_its_labels(config: Path, tmp_path: Path) -> None:
    nameless = onnx_models.write(tmp_path / "birds.onnx", onnx_models.yolov8([Thing((40, 60, 80, 100))], classes=2))
    refused = run(config, "add", nameless)
    assert (refused.exit_code, models(config)) == (1, [])
    assert "set detector.labels" in refused.stderr
    (tmp_path / "names.txt").write_text("wren\nrobin\n")
    config.write_text(f"{config.read_text()}detector: {{kind: onnx, labels: {tmp_path / 'names.txt'}}}\n")
    assert run(config, "add", nameless).exit_code == 0
    assert models(config) == ["birds.onnx"]


def test_models_are_listed_tested_and_removed(config: Path, made: Path, tmp_path: Path) -> None:
    empty = run(config, "list")
    assert re.search(r"yolox-nano +3.7 MB +Apache-2.0 +not here, model add yolox-nano loads it: quick on", empty.stdout)
    assert "no model is in use: the detector is hog" in empty.stderr
    assert run(config, "add", made).exit_code == 0
    listed = run(config, "list").stdout.splitlines()
    assert listed[1].split()[:2] == ["*", "fox.onnx"]
    assert listed[1].endswith("data/models/fox.onnx")
    assert [one["used"] for one in json.loads(run(config, "list", "--json").stdout)][:2] == [True, False]
    lines = run(config, "test", _picture(tmp_path), "--model", "fox").stdout.splitlines()
    assert " by onnxruntime " in lines[0]
    assert [line.split() for line in lines[1:3]] == [["label", "confidence", "boxes"], ["Person", "0.90", "1"]]
    assert lines[3].startswith("1 person, in ")
    assert lines[3].endswith(" ms")
    assert run(config, "remove", "fox").exit_code == 0
    assert models(config) == []
    again = run(config, "remove", "fox")
    assert (again.exit_code, again.stderr.startswith("no_model: there is no model fox in ")) == (1, True)


def test_only_what_lies_in_the_data_folder_is_removed(config: Path, made: Path) -> None:
    assert run(config, "remove", made).exit_code == 1
    assert made.exists()


def test_what_root_adds_belongs_to_whom_the_data_belong_to(
    config: Path, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[str] = []
    monkeypatch.setattr(os, "getuid", lambda: 0)
    monkeypatch.setattr(os, "chown", lambda path, uid, gid: given.append(Path(path).name))
    assert run(config, "add", made).exit_code == 0
    assert given == ["models", "fox.onnx"]


def _picture(folder: Path) -> Path:
    path = folder / "picture.jpg"
    path.write_bytes(encoded(Image.new("RGB", (320, 160))))
    return path
