"""The detector `onnx` beside bare onnxruntime on a prepared tensor, and the memory that a model takes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from tests.bench.report import Row, ms
from tests.bench.rows import Bench
from tests.bench.thumbnails import drawn

FOLDERS = [Path("models"), Path("data/models"), Path(os.environ.get("SNAPSHOT_TEST_DATA") or "models")]
SIZE, ROUNDS, AIM = (1280, 720), 60, 1.25

MEMORY = """
import os, sys
from app.detectors import DetectorContext
from app.detectors.onnx import Onnx, OnnxSettings
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
import app.bootstrap.service, cv2, numpy
before = resident()
looking = Onnx(OnnxSettings(model=sys.argv[1], runtime=sys.argv[2]), DetectorContext())
loaded = resident()
picture = open(sys.argv[3], "rb").read()
for _ in range(50):
    looking.detect(picture)
print(before, loaded, resident())
"""


def looked_at(bench: Bench) -> Iterator[Row]:
    """Processor time of one picture, by each runtime; megabytes with the model loaded."""
    model = next((path for folder in FOLDERS if (path := folder / "yolox_nano.onnx").is_file()), None)
    if model is None:
        yield Row("a picture looked at by yolox-nano", "not measured: make model")
        return
    picture = bench.home / "looked-at.jpg"
    picture.write_bytes(drawn(SIZE))
    data = picture.read_bytes()
    times = _times(model, data, bench.some(ROUNDS))
    bare = times["bare"] + times["decoding"]
    ratio = times["onnxruntime"] / bare
    what = "processor time of a picture of 1280 x 720 by yolox-nano, beside bare onnxruntime and decoding"
    yield Row(what, ms(times["onnxruntime"]), ms(bare), f"{ratio:.2f}", str(AIM), ratio <= AIM)
    yield Row("the same by OpenCV", ms(times["opencv"]))
    yield Row("the same by HOG", ms(times["hog"]))
    for runtime in ("onnxruntime", "opencv"):
        command = [sys.executable, "-c", MEMORY, str(model), runtime, str(picture)]
        # As the service sets it for itself.
        environment = os.environ | {"MALLOC_ARENA_MAX": "2"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        before, loaded, after = (float(word) for word in done.stdout.split())
        what = f"resident memory that yolox-nano adds by {runtime}: loaded, after 50 pictures"
        yield Row(what, f"{loaded - before:.0f} MB, {after - before:.0f} MB")


def _times(model: Path, data: bytes, rounds: int) -> dict[str, float]:
    """Medians of works that take turns on one thread each, so that all have the same machine."""
    import numpy as np
    import onnxruntime

    from app.detectors import DetectorContext
    from app.detectors.hog import Hog, HogSettings
    from app.detectors.onnx import Onnx, OnnxSettings
    from app.detectors.pixels import pixels

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    tensor = np.full((1, 3, 416, 416), 114, np.float32)
    ours, others = (
        Onnx(OnnxSettings(model=str(model), runtime=runtime, threads=1), DetectorContext())
        for runtime in ("onnxruntime", "opencv")
    )
    hog = Hog(HogSettings())
    works: dict[str, Callable[[], object]] = {
        "bare": lambda: session.run(None, {"images": tensor}),
        "decoding": lambda: pixels(data, long_side=416),
        "onnxruntime": lambda: ours.detect(data),
        "opencv": lambda: others.detect(data),
        "hog": lambda: hog.detect(data),
    }
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            began = time.process_time()
            work()
            taken[name].append(time.process_time() - began)
    return {name: median(seconds) for name, seconds in taken.items()}
