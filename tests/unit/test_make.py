"""`make setup` and `make build` load a model when they can; `make rund` ends with what does not work;
`make pin` knows all images."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STUB = """#!/bin/sh
echo "$(basename "$0") $@" >> {log}
exit {status}
"""


def make(tree: Path, target: str, *, network: bool) -> tuple[str, list[str]]:
    """What a target prints, and what it runs."""
    log = tree / "log"
    shutil.copy(ROOT / "Makefile", tree)
    (tree / "docker-compose.yml").touch()
    programs = tree / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name, status in (("python", 0), ("snapshot-processor", 0 if network else 1), ("docker", 0)):
        (programs / name).write_text(STUB.format(log=log, status=status))
        (programs / name).chmod(0o755)
    for name in ("pyproject.toml", "requirements.lock", "requirements-build.lock", ".venv/.installed"):
        (tree / name).touch()
    done = subprocess.run(
        ["make", target],
        cwd=tree,
        env=_with(programs),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout, log.read_text().splitlines()


@pytest.mark.parametrize("target", ["setup", "build"])
def test_a_model_is_loaded_for_the_image_before_it_is_built(tmp_path: Path, target: str) -> None:
    said, ran = make(tmp_path, target, network=True)
    assert "snapshot-processor model add yolox-nano --folder models" in ran
    assert "network" not in said
    if target == "build":
        assert ran[-1] == "docker compose build"


@pytest.mark.parametrize("target", ["setup", "build"])
def test_without_a_network_one_line_says_how_to_do_it_later(tmp_path: Path, target: str) -> None:
    said, ran = make(tmp_path, target, network=False)
    (line,) = [line for line in said.splitlines() if "yolox-nano" in line]
    assert "later, make model build" in line
    if target == "build":
        assert ran[-1] == "docker compose build"


def test_images_are_for_both_kinds_of_machines(tmp_path: Path) -> None:
    assert make(tmp_path, "images", network=True)[1][-1] == (
        "docker buildx build --builder snapshot-processor --platform linux/amd64,linux/arm64"
        " --output type=oci,dest=dist/images.tar ."
    )


RUNNING = """#!/bin/sh
[ "$2" = exec ] || exit 0
echo tried >> {log}
[ $(wc -l < {log}) -ge {answers_at} ] || exit 1
echo "       check   found"
echo "ok     disk    72.0 GB free"
[ -z "{wrong}" ] || echo "WRONG  broker  not connected"
"""


@pytest.mark.parametrize(
    ("answers_at", "wrong", "last"),
    [(1, "", "Everything works that is checked"), (3, "yes", "WRONG  broker  not connected"), (99, "", "make logs")],
)
def test_rund_waits_for_an_answer_and_ends_with_what_does_not_work(
    tmp_path: Path, answers_at: int, wrong: str, last: str
) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "docker-compose.yml").write_text('ports:\n  - "${WEB_BIND:-127.0.0.1}:8081:8080"\n')
    programs = tmp_path / "bin"
    programs.mkdir()
    log = tmp_path / "log"
    for name, script in {
        "docker": RUNNING,
        "sleep": "#!/bin/sh\n",
        "chown": "#!/bin/sh\n",
        "sudo": "#!/bin/sh\n",
    }.items():
        (programs / name).write_text(script.format(log=log, answers_at=answers_at, wrong=wrong))
        (programs / name).chmod(0o755)
    done = subprocess.run(
        ["make", "rund"], cwd=tmp_path, env=_with(programs), capture_output=True, text=True, check=True
    )
    assert "The album: http://127.0.0.1:8081/" in done.stdout
    assert last in (done.stdout + done.stderr).splitlines()[-1]


@pytest.mark.parametrize("missing", ["", "haproxy:lts", "rabbitmq:4-management"])
def test_pin_takes_the_digest_of_each_image_that_the_template_names_and_is_here(tmp_path: Path, missing: str) -> None:
    template = "docker-compose.template.yml"
    images = dict(re.findall(r"\$\{([A-Z0-9]+_IMAGE):-([^}]+)", (ROOT / template).read_text()))
    assert {"BASE_IMAGE", "BROKER_IMAGE", "BALANCER_IMAGE", "POSTGRES_IMAGE", "S3_IMAGE"} <= images.keys()
    for name in (template, "Makefile"):
        shutil.copy(ROOT / name, tmp_path)
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    docker = f'for image; do :; done\n[ "$image" = "{missing}" ] || echo "$image@sha256:5d41"'
    for name, script in {"docker": docker, "python": "env | sed s/^/told:/"}.items():
        (programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (programs / name).chmod(0o755)
    for name in ("pyproject.toml", "requirements.lock", "requirements-build.lock", ".venv/.installed"):
        (tmp_path / name).touch()
    done = subprocess.run(
        ["make", "pin"], cwd=tmp_path, env=_with(programs), capture_output=True, text=True, check=False
    )
    assert (missing in done.stderr, done.returncode != 0) == (True, missing == images["BROKER_IMAGE"])
    if done.returncode == 0:
        pinned = dict(re.findall("^told:([A-Z0-9]+_IMAGE)=(.*)@sha256:5d41$", done.stdout, re.M))
        assert pinned == {name: image for name, image in images.items() if image != missing}


def _with(programs: Path) -> dict[str, str]:
    """The environment, with these programs before all others, and nothing of a make around us."""
    given = re.findall(r"(\w+)=", os.environ.get("MAKEFLAGS", ""))  # on its command line, as ARGS may be
    own = {name: value for name, value in os.environ.items() if not name.startswith("MAKE") and name not in given}
    return own | {"PATH": f"{programs}:{os.environ['PATH']}"}
