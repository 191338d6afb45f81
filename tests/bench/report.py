"""What a measurement found, as Markdown: one row a figure, beside what the parts need alone."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of the service."""

    what: str
    service: str
    alone: str = ""
    """The parts in the same run: what there is to reach."""
    ratio: str = ""
    aim: str = ""
    reached: bool | None = None
    """None where there is no aim."""


def quantile(values: Iterable[float], q: float) -> float:
    """The value below which a share `q` of the values lies (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(q * (len(ordered) - 1)))]


def ms(seconds: float) -> str:
    """Milliseconds with as many digits as mean something."""
    value = seconds * 1000
    return f"{value:.2f} ms" if abs(value) < 10 else f"{value:.1f} ms" if value < 100 else f"{value:.0f} ms"


def table(rows: Iterable[Row]) -> str:
    """The rows in Markdown."""
    lines = ["| | Service | Parts alone | Ratio | Aim | |", "|---|---:|---:|---:|---:|---|"]
    for row in rows:
        mark = {None: "", True: "reached", False: "missed"}[row.reached]
        lines.append(f"| {row.what} | {row.service} | {row.alone} | {row.ratio} | {row.aim} | {mark} |")
    return "\n".join(lines)


def machine() -> str:
    """The machine and what runs on it, in one line."""
    load = "/".join(f"{value:.1f}" for value in os.getloadavg())
    return (
        f"{_cpu_model()}, {os.cpu_count()} cores; Linux {platform.release()}; "
        f"Python {platform.python_version()}; load before {load}"
    )


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.lower().startswith(("model name", "hardware")):
            return line.partition(":")[2].strip()
    return platform.machine()
