"""`snapshot-processor iam`: what AWS has to allow, as JSON that the `aws` command takes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from app.cli.failures import exit_on_failure
from app.config import settings as configuration
from app.config.settings import Settings
from pylib.aws.policy import Statement, document, merged

PREFLIGHT_S = 3600
"""Seconds for which a browser need not ask again whether it may upload."""


def policy(parts: Mapping[str, Sequence[Statement]]) -> dict[str, Any]:
    """One policy for all parts."""
    return document(merged(statement for part in parts.values() for statement in part))


def cors(settings: Settings) -> dict[str, Any]:
    """What the bucket of the upload form has to allow the album's pages (S3 user guide, "CORS configuration")."""
    from app.web.site import Site

    web = settings.web
    rule = {
        "AllowedOrigins": [Site(web.public_url or web.own_url).origin],
        "AllowedMethods": ["POST"],
        "MaxAgeSeconds": PREFLIGHT_S,
    }
    return {"CORSRules": [rule]}


@click.command()
@click.option("--by-part", is_flag=True, help="One policy for each part instead of one for all.")
@click.option("--cors", "wants_cors", is_flag=True, help="The CORS rules of the upload form's bucket instead.")
@click.pass_obj
@exit_on_failure
def iam(config_file: Path | None, by_part: bool, wants_cors: bool) -> None:
    """Print the least policy for what is configured, for `aws iam put-user-policy`.

    \b
    Example:
      snapshot-processor iam --by-part
    """
    from app.bootstrap.permissions import permissions

    settings = configuration.load(config_file)
    if wants_cors:
        if not settings.web.upload_bucket.bucket:
            raise click.ClickException("no upload form goes to a bucket: web.upload_bucket.bucket is not set")
        _show(cors(settings))
        return
    parts = permissions(settings)
    if not parts:
        raise click.ClickException("nothing that is configured calls AWS, so no policy is needed")
    _show({name: policy({name: part}) for name, part in parts.items()} if by_part else policy(parts))


def _show(content: Mapping[str, Any]) -> None:
    click.echo(json.dumps(content, indent=2))
