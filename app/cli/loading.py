"""Settings for commands."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from app.cli.terminal import say
from app.config import settings as configuration
from app.config.data_dir import DataDir
from app.config.settings import Settings
from app.web.local_token import KEY_FILE


def loaded(config_file: Path | None, environ: Mapping[str, str] | None = None) -> Settings:
    """The settings, with what boto3 needs of them in the environment. Raises `pylib.settings.draft.ConfigError`."""
    settings = configuration.load(config_file, environ)
    for name, value in settings.aws_environment.items():
        os.environ.setdefault(name, value.get_secret_value())  # boto3 looks nowhere else
    return settings


def looking(config_file: Path | None) -> Settings:
    """The settings of a command that looks at what a service has kept, or asks the service.

    Where none has ever run with this data folder, and a demo has, it says how to look at the demo's. Raises
    `pylib.settings.draft.ConfigError`.
    """
    settings = configuration.load(config_file)
    data = DataDir(settings.data_dir)
    if (DataDir(data.demo).web / KEY_FILE).exists() and not (data.web / KEY_FILE).exists():
        say(
            f"no service has run with {data.path} yet; the demo keeps its own data: to look at that, put "
            f"DATA_DIR={data.demo} before the command",
            err=True,
        )
    return settings
