"""Settings from file and environment: precedence, the rule for names, and every complaint at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pylib.settings.credentials import Environment, Secret
from pylib.settings.draft import ConfigError, SettingsBuilder
from pylib.settings.kinds import KindField
from pylib.settings.variables import variables
from pylib.settings.yaml_file import read_yaml


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Shape(Strict):
    kind: str
    name: str = "shape"


class Circle(Shape):
    kind: Literal["circle"] = "circle"
    radius: float = Field(default=1, gt=0)


class Square(Shape):
    kind: Literal["square"] = "square"
    side: float


loaded: list[str] = []


def load_shape(kind: str) -> type[Shape]:
    loaded.append(kind)
    return Circle if kind == "circle" else Square


SHAPES = KindField(("circle", "square"), load_shape, default="circle")


class Web(Strict):
    port: int = Field(default=8080, ge=1)
    password: Secret = Secret("")
    secure: bool = False


class Tree(Strict):
    name: str = "tree"
    level: Literal["low", "high"] = "low"
    networks: tuple[str, ...] = ()
    web: Web = Web()
    shape: Annotated[Shape, SHAPES] = Circle()
    shapes: tuple[Annotated[Shape, SHAPES], ...] = ()


def build(
    tmp_path: Path,
    text: str = "",
    environ: dict[str, str] | None = None,
    *,
    aliases: dict[str, tuple[str, ...]] | None = None,
) -> Tree:
    draft = draft_of(tmp_path, text, environ or {})
    draft.overlay(variables(Tree, aliases=aliases))
    return draft.build(Tree)


def draft_of(tmp_path: Path, text: str, environ: dict[str, str]) -> SettingsBuilder:
    path = tmp_path / "config.yml"
    path.write_text(text)
    return SettingsBuilder(Environment(environ, secrets=tmp_path / "none"), read_yaml(path))


def problems(tmp_path: Path, text: str = "", environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigError) as failure:
        build(tmp_path, text, environ)
    return [problem.replace(f"{tmp_path}/", "") for problem in failure.value.problems]


def test_the_environment_goes_before_the_file_and_the_file_before_the_default(tmp_path: Path) -> None:
    tree = build(tmp_path, "name: file\nweb: {port: 1}", {"WEB_PORT": "2"})
    assert (tree.name, tree.web.port, tree.level) == ("file", 2, "low")


def test_a_name_in_the_environment_is_the_path_in_capitals() -> None:
    names = {variable.name: variable.location for variable in variables(Tree)}
    assert names["WEB_PORT"] == ("web", "port")
    assert names["SHAPE_RADIUS"] == ("shape", "radius")
    assert names["SHAPE_SIDE"] == ("shape", "side")
    assert len(names) == len(list(variables(Tree)))


def test_an_alias_means_the_same(tmp_path: Path) -> None:
    aliases: dict[str, tuple[str, ...]] = {"web.port": ("HTTP_PORT",)}
    assert build(tmp_path, "", {"HTTP_PORT": "7"}, aliases=aliases).web.port == 7
    assert build(tmp_path, "", {"HTTP_PORT": "7", "WEB_PORT": "8"}, aliases=aliases).web.port == 8


def test_an_empty_value_counts_as_not_set_in_both_places(tmp_path: Path) -> None:
    tree = build(tmp_path, "name:\nweb:\nshapes: [{kind: , name: }]", {"WEB_PORT": "", "LEVEL": " "})
    assert tree == Tree(shapes=(Circle(),))


@pytest.mark.parametrize(("text", "value"), [("true", True), ("1", True), ("Yes", True), ("on", True), ("off", False)])
def test_booleans_are_taken_in_any_usual_form(tmp_path: Path, text: str, value: bool) -> None:
    assert build(tmp_path, "", {"WEB_SECURE": text}).web.secure is value
    assert build(tmp_path, f"web: {{secure: '{text}'}}").web.secure is value


@pytest.mark.parametrize("text", ["a,b", " a , b,", '["a", "b"]'])
def test_a_list_is_written_with_commas_or_as_json(tmp_path: Path, text: str) -> None:
    assert build(tmp_path, "", {"NETWORKS": text}).networks == ("a", "b")


def test_a_list_of_sections_is_written_as_json(tmp_path: Path) -> None:
    tree = build(tmp_path, "", {"SHAPES": '[{"radius": 2}, {"kind": "square", "side": 3}]'})
    assert tree.shapes == (Circle(radius=2), Square(side=3))
    assert problems(tmp_path, "", {"SHAPES": '[{"radius": "x"}]'}) == [
        "environment: SHAPES[0].radius: 'x' is not a number"
    ]
    assert problems(tmp_path, "", {"SHAPES": "[{"}) == ["environment: SHAPES: begins like a JSON list and is none"]


def test_everything_wrong_is_told_at_once_each_with_its_place(tmp_path: Path) -> None:
    text = "web:\n  port: 0\n  secure: maybe\nlevel: hihg\nshapes:\n  - {radius: 1}\n  - {kind: square}\nname: [a]\n"
    assert sorted(problems(tmp_path, text, {"SHAPE_RADIUS": "wide"})) == [
        "config.yml: level (line 4): 'hihg' is not one of low or high; did you mean high?",
        "config.yml: name (line 8): must be text, not a list or section",
        "config.yml: shapes[1].side (line 7): is required",
        "config.yml: web.port (line 2): must be greater than or equal to 1, not 0",
        "config.yml: web.secure (line 3): 'maybe' is neither true nor false",
        "environment: SHAPE_RADIUS: 'wide' is not a number",
    ]


def test_an_unknown_key_is_told_with_the_one_that_was_meant(tmp_path: Path) -> None:
    assert sorted(problems(tmp_path, "web: {prot: 1}\nwbe: {}\nshapes: [{raduis: 1}]\nquite: other")) == [
        "config.yml: quite (line 4): is not a setting",
        "config.yml: shapes[0].raduis (line 3): is not a setting; did you mean radius?",
        "config.yml: wbe (line 2): is not a setting; did you mean web?",
        "config.yml: web.prot (line 1): is not a setting; did you mean port?",
    ]


def test_a_key_of_another_kind_is_told_with_its_kind(tmp_path: Path) -> None:
    assert problems(tmp_path, "shapes: [{side: 1}]") == [
        "config.yml: shapes[0].side (line 1): is a setting of kind square only"
    ]


def test_an_unknown_kind_is_told_with_all_that_there_are(tmp_path: Path) -> None:
    assert problems(tmp_path, "shape: {kind: sqare}") == [
        "config.yml: shape.kind (line 1): 'sqare' is not one of circle, square; did you mean square?"
    ]


def test_a_section_or_list_that_is_something_else_is_told(tmp_path: Path) -> None:
    assert sorted(problems(tmp_path, "web: 5\nshape: []\nshapes: {a: 1}\nnetworks: x", {"WEB_PORT": "3"})) == [
        "config.yml: networks (line 4): must be a list",
        "config.yml: shape (line 2): must be a section with settings of its own",
        "config.yml: shapes (line 3): must be a list",
        "config.yml: web (line 1): must be a section with settings of its own",
    ]


@pytest.mark.parametrize("text", ["012345", "2024-01-01", "yes", "1.50"])
def test_what_yaml_makes_something_else_of_is_asked_for_in_quotes(tmp_path: Path, text: str) -> None:
    wanted = ["config.yml: name (line 1): must be text: put it in quotes"]
    assert problems(tmp_path, f"name: {text}") == wanted
    assert build(tmp_path, f"name: '{text}'").name == text


@pytest.mark.parametrize(
    ("text", "environ"),
    [
        ("web: {password: [hunter2]}", {}),
        ("web: {password: {a: hunter2}}", {}),
        ("web: {pasword: hunter2}", {}),
        ("web: {port: 'amqp://me:hunter2@host'}", {}),
        ("web: hunter2", {}),
        ("", {"WEB_PORT": "me:hunter2@host"}),
        ("", {"SHAPES": "[hunter2"}),
    ],
)
def test_no_complaint_quotes_a_secret(tmp_path: Path, text: str, environ: dict[str, str]) -> None:
    with pytest.raises(ConfigError) as failure:
        build(tmp_path, text, environ)
    assert "hunter2" not in str(failure.value)
    assert "hunter2" not in repr(failure.value)


def test_no_complaint_quotes_a_secret_that_is_wrong_or_a_value_that_is_long(tmp_path: Path) -> None:
    class Door(Strict):
        pin: Secret = Field(max_length=4)
        height: int = 2

    draft = draft_of(tmp_path, f"pin: hunter2\nheight: {'x' * 100}", {})
    with pytest.raises(ConfigError) as failure:
        draft.build(Door)
    assert len(failure.value.problems) == 2
    assert "hunter2" not in str(failure.value)
    assert "xxx" not in str(failure.value)


def test_a_secret_file_that_cannot_be_read_is_one_problem_among_others(tmp_path: Path) -> None:
    assert problems(tmp_path, "level: x", {"WEB_PASSWORD_FILE": "/no/such"}) == [
        "environment: WEB_PASSWORD_FILE: the file that it names cannot be read: No such file or directory",
        "config.yml: level (line 1): 'x' is not one of low or high",
    ]


def test_a_secret_keeps_its_white_space_and_other_values_lose_it(tmp_path: Path) -> None:
    tree = build(tmp_path, "", {"WEB_PASSWORD": " hunter2 ", "NAME": " oak "})
    assert (tree.web.password.get_secret_value(), tree.name) == (" hunter2 ", "oak")


def test_a_kind_is_loaded_only_when_a_value_is_of_it(tmp_path: Path) -> None:
    loaded.clear()
    draft_of(tmp_path, "shapes: [{radius: 2}, {kind: Circle}]", {}).build(Tree)
    assert set(loaded) == {"circle"}


def test_a_kind_chosen_in_the_environment_drops_what_the_file_says_of_another(tmp_path: Path) -> None:
    draft = draft_of(tmp_path, "shape: {kind: square, side: 3, name: it, oops: 1}", {"SHAPE_KIND": "circle"})
    draft.overlay(variable for variable in variables(Tree) if variable.name == "SHAPE_KIND")
    draft.keep_own(Circle, ("shape",))
    assert draft.build(Tree).shape == Circle(name="it")
    own = draft_of(tmp_path, "shape: {radius: 3, oops: 1}", {})
    own.keep_own(Circle, ("shape",))
    assert own.at(("shape", "oops")) == 1  # the file's own kind: its slips are told
    both = draft_of(tmp_path, "", {"SHAPE_KIND": "circle", "SHAPE_SIDE": "3"})
    both.overlay(variables(Tree))
    both.keep_own(Circle, ("shape",))
    assert both.at(("shape", "side")) == "3"  # the environment's slips too


def test_what_a_file_said_can_be_asked_after_the_environment_went_over_it(tmp_path: Path) -> None:
    path = tmp_path / "config.yml"
    path.write_text("web: {port: 80}")
    file = read_yaml(path)
    draft = SettingsBuilder(Environment({"WEB_PORT": "90"}, secrets=tmp_path / "none"), file)
    draft.overlay(variables(Tree))
    assert draft.build(Tree).web.port == 90
    assert file.values == {"web": {"port": 80}}


def test_problems_come_with_the_warnings_and_each_of_them_once(tmp_path: Path) -> None:
    draft = draft_of(tmp_path, "", {"WEB_PORT_FILE": "missing", "WEB_PROT": "1"})
    draft.warn_of_typos(["WEB_PORT"])
    for _ in range(2):
        draft.overlay(variables(Tree))
    with pytest.raises(ConfigError) as failure:
        draft.build(Tree)
    assert len(failure.value.problems) == 1
    assert len(failure.value.warnings) == 1


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("WEB_PROT", "WEB_PORT"),
        ("WEB_PASWORD_FILE", "WEB_PASSWORD_FILE"),
        ("OUTPUT_12_LOCATON", "OUTPUT_12_LOCATION"),
        ("OUTPT_3_LOCATION", "OUTPUT_3_LOCATION"),
    ],
)
def test_a_slip_in_a_name_of_the_environment_is_a_warning(tmp_path: Path, name: str, meant: str) -> None:
    draft = draft_of(tmp_path, "", {name: "hunter2"})
    draft.warn_of_typos(["WEB_PORT", "WEB_PASSWORD", "OUTPUT_n_LOCATION"])
    assert draft.warnings == [f"environment: {name} is not a setting; did you mean {meant}?"]


def test_names_of_others_and_names_beside_the_right_one_are_no_slips(tmp_path: Path) -> None:
    environ = {
        "WEB_PORT": "1",
        "WEB_PROT": "2",
        "PATH": "x",
        "HOME": "x",
        "WEBSITE": "x",
        "OUTPUT_1_LOCATION": "x",
    }
    draft = draft_of(tmp_path, "", environ)
    draft.warn_of_typos(["WEB_PORT", "OUTPUT_n_LOCATION"])
    assert draft.warnings == []


def test_settings_cannot_be_changed(tmp_path: Path) -> None:
    with pytest.raises(ValidationError):
        build(tmp_path).web.port = 9
