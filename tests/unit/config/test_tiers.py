"""Two detectors in the configuration: what is left open is filled in, and nonsense is named with its place."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from app.config.settings import load
from app.detectors.hog import HogSettings
from app.detectors.rekognition import RekognitionSettings
from app.detectors.tiers import TiersSettings
from pylib.settings.draft import ConfigError


def tiers(folder: Path, file: dict[str, object] | None = None, **environment: str) -> TiersSettings:
    config = folder / "config.yml"
    config.write_text(yaml.safe_dump({"detector": {"kind": "tiers", **(file or {})}}))
    settings = load(config, {"DATA_DIR": str(folder), **environment})
    assert isinstance(settings.detector, TiersSettings)
    return settings.detector


def test_unless_set_the_local_one_looks_and_rekognition_confirms(tmp_path: Path) -> None:
    made = tiers(tmp_path, AWS_DEFAULT_REGION="eu-west-1")
    assert isinstance(made.first, HogSettings)
    assert isinstance(made.second, RekognitionSettings)
    assert made.second.region == "eu-west-1"
    assert (made.second_when, made.at_cap) == (("person", "failed"), "local")


def test_each_may_have_settings_of_its_own_and_shares_the_rest(tmp_path: Path) -> None:
    made = tiers(
        tmp_path,
        {
            "minimum_confidence": 0.6,
            "first": {"kind": "rekognition", "region": "eu-central-1", "monthly_budget_usd": 5},
            "second": {"kind": "hog", "minimum_confidence": 0.3},
            "second_when": ["failed"],
        },
        AWS_DEFAULT_REGION="eu-west-1",
    )
    assert isinstance(made.first, RekognitionSettings)
    assert (made.first.region, made.first.minimum_confidence, made.first.monthly_budget_usd) == ("eu-central-1", 0.6, 5)
    assert (made.second.kind, made.second.minimum_confidence) == ("hog", 0.3)


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    made = tiers(
        tmp_path,
        {"second": {"kind": "hog"}},
        DETECTOR_SECOND_KIND="rekognition",
        DETECTOR_SECOND_REGION="eu-west-1",
        DETECTOR_SECOND_RATE="2.5",
        DETECTOR_SECOND_WHEN="unsure, failed",
        MINIMUM_HUMAN_CONFIDENCE="0.4",
    )
    assert isinstance(made.second, RekognitionSettings)
    assert (made.second.rate, made.second.minimum_confidence) == (2.5, 0.4)
    assert (made.second_when, made.first.minimum_confidence) == (("unsure", "failed"), 0.4)


@pytest.mark.parametrize(
    ("file", "problem"),
    [
        ({"first": {"kind": "tiers"}}, "detector.first.kind"),
        ({"first": {"regoin": "x", "kind": "rekognition"}}, "regoin"),
        ({"first": "hog"}, "detector.first"),
        ({"second_when": ["sometimes"]}, "detector.second_when"),
        ({"second_when": ["never", "person"]}, "never"),
        ({"unsure_below": 2}, "detector.unsure_below"),
    ],
)
def test_what_makes_no_sense_is_named(tmp_path: Path, file: dict[str, object], problem: str) -> None:
    with pytest.raises(ConfigError) as error:
        tiers(tmp_path, file)
    assert any(problem in line for line in error.value.problems), error.value.problems
