"""Scores detectors on pictures of which it is known what they show: `python -m tests.bench.detect`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from app import detectors
from app.bootstrap.adapters import make_detector
from app.config import settings as configuration
from app.config.settings import Settings
from app.detectors import Detector, DetectorError
from app.detectors.labels import common_name
from app.messages import PERSON
from tests.bench.detect.made import EMPTY_SHARE, GROUPS, made
from tests.bench.detect.pictures import LabelledPicture, Unlabelled, labelled
from tests.bench.detect.plot import plot
from tests.bench.detect.score import Candidate, Score, score
from tests.bench.detect.tiers import COST_LEFT, RECALL_KEPT, Compared, Remembered, compared, confirmed, paid
from tests.bench.report import machine, ms, quantile

COUNT = 210
SIZES = ("small", "medium", "large")


def main() -> None:
    """Score what is there, and print it as Markdown."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.detect", description=__doc__)
    parser.add_argument("--pictures", type=Path, help="a folder with COCO's or YOLO's labels, instead of drawings")
    parser.add_argument("--count", type=int, default=COUNT, help="pictures that are drawn, or taken from the folder")
    parser.add_argument("--label", default=PERSON, help="what to look for")
    parser.add_argument("--config", type=Path, help="config.yml with a detector of your own, and with its models")
    parser.add_argument("--paid", action="store_true", help="ask detectors that cost something, too")
    parser.add_argument("--plot", type=Path, help="write precision over recall into this SVG file")
    asked = parser.parse_args()
    try:
        pictures = list(labelled(asked.pictures))[: asked.count] if asked.pictures else list(made(asked.count))
    except Unlabelled as error:
        parser.error(str(error))
    label = common_name(asked.label)
    scores = [score(one, pictures, label=label) for one in _candidates(asked.config, pictures, paid_too=asked.paid)]
    print(f"{machine()}. {_described(pictures, label, drawn=asked.pictures is None)}\n\n{table(scores)}")
    if asked.pictures is None:
        print(f"\nRecall by what makes it hard:\n\n{groups(scores)}")
    print(f"\n{tiers_table(compared())}")
    if asked.plot:
        asked.plot.write_text(plot(scores, title=f"{label}, {len(pictures)} pictures"), encoding="utf-8")


def _candidates(config: Path | None, pictures: Sequence[LabelledPicture], *, paid_too: bool) -> Iterator[Candidate]:
    """Every detector that is there, those that cost nothing also with a simulated paid one behind them."""
    settings = configuration.load(config)
    for kind in detectors.KINDS:
        print(f"{kind} ...", file=sys.stderr, flush=True)
        try:
            detector = _made(settings, kind)
        except (DetectorError, ImportError) as error:
            print(f"  left out: {error}", file=sys.stderr)
            continue
        if detector.cost_usd and not paid_too:
            print("  left out: it costs something (--paid)", file=sys.stderr)
            continue
        remembered = Remembered(detector)
        yield Candidate.of(remembered)
        if not detector.cost_usd:
            yield confirmed(remembered, paid(pictures), name=f"{detector.name}, then paid (simulated)")
        detector.close()


def _made(settings: Settings, kind: str) -> Detector:
    """With its own settings where it is the configured one."""
    own = settings.detector if settings.detector.kind == kind else detectors.KINDS.load(kind).Settings(kind=kind)
    return make_detector(own, settings)


def _described(pictures: Sequence[LabelledPicture], label: str, *, drawn: bool) -> str:
    things = sum(len(picture.of(label)) for picture in pictures)
    empty = sum(not picture.of(label) for picture in pictures)
    kind = "Drawn pictures" if drawn else "Pictures"
    return f"{kind}: {len(pictures)}, {empty} of them without a {label}; {things} in the others."


def table(scores: Sequence[Score]) -> str:
    """One row for each detector."""
    lines = [
        "| Detector | Precision | Recall | small, medium, large | AP@0.5 | pictures: recall, precision | p50, p95 "
        "| USD per 1,000 triggers |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for one in scores:
        sizes = ", ".join(f"{one.recall(size):.2f}" if one.things[size] else "-" for size in SIZES)
        times = f"{ms(quantile(one.seconds, 0.5))}, {ms(quantile(one.seconds, 0.95))}" if one.seconds else "-"
        failed = f" ({one.failed} failed)" if one.failed else ""
        found = f"{one.recall_of_pictures:.3f}, {one.precision_of_pictures:.3f}"
        lines.append(
            f"| {one.name}{failed} | {one.precision:.2f} | {one.recall():.2f} | {sizes} | {one.average_precision:.2f} "
            f"| {found} | {times} | {one.usd_per_1000:.2f} |"
        )
    return "\n".join(lines)


def groups(scores: Sequence[Score]) -> str:
    """Recall in each group of drawn pictures."""
    lines = [f"| Detector | {' | '.join(GROUPS)} |", f"|---|{'---:|' * len(GROUPS)}"]
    lines += [f"| {one.name} | {' | '.join(f'{one.recall(group):.2f}' for group in GROUPS)} |" for one in scores]
    return "\n".join(lines)


def tiers_table(found: Compared) -> str:
    """What two detectors are worth together, simulated."""
    words = (
        f"Simulated: {found.paid.pictures} triggers, {EMPTY_SHARE:.0%} of which show nobody. The tiers find "
        f"{found.recall_kept:.3f} of the paid detector's events (aim: {RECALL_KEPT}) at {found.cost_left:.0%} of its "
        f"cost (aim: {COST_LEFT:.0%}): {'reached' if found.reached else 'missed'}."
    )
    return f"{words}\n\n{table(found)}"


if __name__ == "__main__":
    main()
