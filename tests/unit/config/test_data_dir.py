"""Names below the data folder are a contract: the next version finds there what this one left."""

from __future__ import annotations

from pathlib import Path

from app.config.data_dir import DataDir


def test_everything_lies_where_it_always_did() -> None:
    data = DataDir(Path("/data"))
    places = (
        data.journal,
        data.cache,
        data.thumbnails,
        data.videos,
        data.uploads,
        data.quarantine,
        data.messages,
        data.web,
        data.demo,
    )
    assert [str(place.relative_to(data.path)) for place in places] == [
        *("journal.db", "cache", "thumbnails", "videos", "ftp", "quarantine", "messages", "web", "demo"),
    ]
    assert [file.name for file in data.bans] == ["ftp-bans.json", "mail-bans.json"]
    assert data.mail_bans in data.bans
