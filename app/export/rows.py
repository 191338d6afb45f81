"""What is known of a picture as a row of a table: the same in a ZIP and on the command line."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from datetime import datetime, tzinfo
from pathlib import PurePath
from typing import Any

from app import wire
from app.journal.entries import Entry
from app.messages import Snapshot

COLUMNS = (
    *("file", "event_id", "device_key", "device_label", "taken_at", "timestamp", "delay_s", "width", "height", "size"),
    *("labels", "person_count", "detector", "decision", "problem", "starred", "note", "description"),
    *("corrected_labels", "archived_in", "missing", "video"),
)
"""Of the table, by the names that the API has for them; `missing`: why there is no file; `video`: whether the
camera sent one, of which the file is a picture: videos are not copied."""
LONGEST_NAME = 80

_NOT_IN_NAMES = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]+')
"""Of some operating system or other."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would calculate: a note is not to run in it."""


def described(entry: Entry, *, file: str, missing: str = "") -> dict[str, Any]:
    """All that is known of an entry whose picture is this file, for JSON too."""
    known = wire.description(entry.inspection)
    for name in ("storage_path", "storage_url", "thumbnail_url", "animation_url"):
        known.pop(name, None)  # of this machine only
    return {
        "file": file,
        **known,
        "starred": entry.starred,
        "note": entry.note,
        "description": entry.description,
        "corrected_labels": None if entry.corrected is None else list(entry.corrected),
        "archived_in": list(entry.archived_in),
        "missing": missing,
        "video": bool(entry.inspection.snapshot.video),
    }


def csv_line(known: Mapping[str, Any], zone: tzinfo) -> str:
    """The same as a line of the table (RFC 4180), with times at home; nothing in it is a formula."""
    labels = [f"{label['name']} {label['confidence']:.2f}" for label in known["labels"]]
    times = {name: _at_home(known[name], zone) for name in ("taken_at", "timestamp")}
    cells = {**known, **times, "labels": labels}
    return _line(_cell(cells.get(name)) for name in COLUMNS)


def name_of(snapshot: Snapshot, *, zone: tzinfo) -> str:
    """`2026-11-21/14-03-22 Front Door Camera <id>.jpg`, at home; a name on every system."""
    local = snapshot.taken_at.astimezone(zone)
    camera = " ".join(_NOT_IN_NAMES.sub(" ", snapshot.camera).split())[:LONGEST_NAME].strip(" .") or "camera"
    return f"{local:%Y-%m-%d/%H-%M-%S} {camera} {snapshot.id}{PurePath(snapshot.path).suffix}"


def _line(cells: Any) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue()


def _at_home(moment: str, zone: tzinfo) -> str:
    return datetime.fromisoformat(moment).astimezone(zone).isoformat(timespec="seconds")


def _cell(value: object) -> object:
    if isinstance(value, list):
        value = ", ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return "" if value is None else value


HEADING = "\ufeff" + _line(COLUMNS)
"""The table's first line; without the mark before it some spreadsheets take UTF-8 for something else."""
