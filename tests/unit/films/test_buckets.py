"""The buckets of a running film: what they refuse is said, and never taken for kept."""

from __future__ import annotations

import pytest

from app.films.buckets import FilmBuckets
from app.films.running_settings import FilmBucketsSettings
from pylib.aws.calls import AwsClient, AwsFailure
from pylib.errors import Failure, Permanent, Transient


@pytest.mark.parametrize(("kind", "error"), [("refused", Permanent), ("away", Transient)])
@pytest.mark.parametrize("refused", ["head_object", "put_object"])
def test_an_original_that_a_bucket_did_not_take_is_not_kept(
    monkeypatch: pytest.MonkeyPatch, refused: str, kind: str, error: type[Failure]
) -> None:
    def ask(_client: AwsClient, operation: str, **_parameters: object) -> dict[str, object]:
        if operation == refused:
            raise AwsFailure("unreachable", "No connection.", kind=kind)  # type: ignore[arg-type]
        return {}

    monkeypatch.setattr(AwsClient, "ask", ask)
    settings = FilmBucketsSettings.model_validate(
        {"pictures": {"bucket": "new"}, "originals": {"bucket": "dated"}, "region": "eu-central-1"}
    )
    with pytest.raises(error, match=r"bucket dated: No connection\."):
        FilmBuckets(settings).keep_original("a.jpg", b"picture")
