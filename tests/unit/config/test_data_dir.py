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
        data.elsewhere,
        data.media,
        data.videos,
        data.films,
        data.running_films,
        data.booth,
        data.booth_now,
        data.uploads,
        data.quarantine,
        data.messages,
        data.rules,
        data.web,
        data.demo,
    )
    assert [str(place.relative_to(data.path)) for place in places] == [
        *("journal.db", "cache", "thumbnails", "elsewhere", "media", "videos", "films", "films/running", "booth"),
        *("booth-now", "ftp", "quarantine", "messages", "rules.yml", "web", "demo"),
    ]
    assert [file.name for file in data.bans] == ["ftp-bans.json", "mail-bans.json"]
    assert data.mail_bans in data.bans
