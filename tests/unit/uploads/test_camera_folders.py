"""Whose a file is: by the folder it was put in, or the address it came from."""

from __future__ import annotations

import unicodedata
from pathlib import PurePosixPath

import pytest

from app.cameras import CameraSettings
from app.cameras.foscam import FoscamSettings as Foscam
from app.uploads.camera_folders import CameraFolders, DuplicateFolder, PushingCamera


def camera(location: str, **more: str) -> PushingCamera:
    return PushingCamera.of(CameraSettings(kind="demo", location=location), **more)


OWNERS = CameraFolders([camera("Front Door"), camera("Back Yard", folder="Garden Cam"), camera("Cellar/Left")])


@pytest.mark.parametrize(
    ("name", "camera"),
    [
        ("uploads/snapshots/frontdoor/a.jpg", "Front Door Camera"),
        ("uploads/snapshots/frontdoor/2026-03-04/001/jpg/12/34/56[M][0@0][0].jpg", "Front Door Camera"),
        ("FrontDoor/a.jpg", "Front Door Camera"),
        ("Front Door/a.jpg", "Front Door Camera"),
        ("frontdoor/gardencam/a.jpg", "Back Yard Camera"),
        ("cellar-left/a.jpg", "Cellar/Left Camera"),
    ],
)
def test_the_last_folder_that_is_a_camera_s_says_whose_a_file_is(name: str, camera: str) -> None:
    found = OWNERS.camera(PurePosixPath(name))
    assert found is not None
    assert found.device_key == camera
    assert OWNERS.names_camera(PurePosixPath(name))


@pytest.mark.parametrize("name", ["a.jpg", "frontdoor", "backyard/a.jpg", "frontdoor2/a.jpg", "uploads/x/a.jpg"])
def test_a_file_in_no_camera_s_folder_is_nobody_s(name: str) -> None:
    assert OWNERS.camera(PurePosixPath(name)) is None
    assert not OWNERS.names_camera(PurePosixPath(name))


UMLAUTS = CameraFolders([camera("Haustür"), camera("Front Door"), camera("Tor Süd"), camera("Tor Sud")])


@pytest.mark.parametrize(
    ("folder", "location"),
    [
        (unicodedata.normalize("NFD", "haustür"), "Haustür"),
        ("haustuer", "Haustür"),
        ("Haustur", "Haustür"),
        ("front_door", "Front Door"),
        ("tor-sud", "Tor Sud"),
        ("tor_sued", "Tor Süd"),
    ],
)
def test_a_folder_in_another_spelling_is_the_camera_s_too(folder: str, location: str) -> None:
    found = UMLAUTS.camera(PurePosixPath(f"uploads/snapshots/{folder}/20260304/a.jpg"))
    assert found is not None
    assert found.device_key == f"{location} Camera"
    called = UMLAUTS.folder_of(found.device_key).name
    assert UMLAUTS.respelled(PurePosixPath(f"uploads/snapshots/{folder}/1/a.jpg")) == PurePosixPath(
        f"uploads/snapshots/{called}/1/a.jpg"
    )


def test_a_folder_that_is_called_so_counts_before_one_that_is_only_spelled_so() -> None:
    folders = CameraFolders([camera("1-2"), camera("Yard")])
    found = folders.camera(PurePosixPath("uploads/snapshots/yard/12/a.jpg"))
    assert found is not None
    assert found.device_key == "Yard Camera"


@pytest.mark.parametrize("path", ["uploads/snapshots", "uploads/snapshots/porch/a.jpg", "other/haustuer/a.jpg", "."])
def test_a_path_of_no_camera_is_left_as_it_is(path: str) -> None:
    assert UMLAUTS.respelled(PurePosixPath(path)) == PurePosixPath(path)


def test_a_camera_s_folder_is_its_location_in_lower_case_without_blanks() -> None:
    assert OWNERS.folder_of("Front Door Camera") == PurePosixPath("uploads/snapshots/frontdoor")
    assert OWNERS.folder_of("Back Yard Camera") == PurePosixPath("uploads/snapshots/gardencam")
    assert len(OWNERS.folders()) == 3


def test_no_location_leads_out_of_the_upload_area() -> None:
    camera_folders = CameraFolders([camera("../../etc"), camera("..")])
    assert all(".." not in folder.parts and len(folder.parts) == 3 for folder in camera_folders.folders())


def test_two_cameras_with_one_folder_are_an_error_that_names_both() -> None:
    with pytest.raises(DuplicateFolder, match=r"'Front Door Camera' and 'Front  door Camera' .* 'frontdoor'"):
        CameraFolders([camera("Front Door"), camera("Front  door")])


def test_a_configured_address_says_whose_a_connection_is() -> None:
    camera_folders = CameraFolders(
        [
            PushingCamera.of(Foscam(kind="foscam", location="Gate", address="192.168.1.5:88")),
            PushingCamera.of(Foscam(kind="foscam", location="Porch", address="porch.lan")),
            PushingCamera.of(Foscam(kind="foscam", location="One", address="192.168.1.9:81")),
            PushingCamera.of(Foscam(kind="foscam", location="Two", address="192.168.1.9:82")),
        ]
    )
    for gate in ("192.168.1.5", "::ffff:192.168.1.5"):
        assert camera_folders.folder_by_address(gate) == PurePosixPath("uploads/snapshots/gate")
    for nobody in ("192.168.1.6", "192.168.1.9", "porch.lan", ""):
        assert camera_folders.folder_by_address(nobody) is None
