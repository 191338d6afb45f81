"""What the process that services are forked from has loaded and made, because each of them would begin with it."""

from __future__ import annotations

import pkgutil
from importlib import import_module

import boto3  # noqa: F401 - a third of what a service of Amazon's loads

import app.bootstrap
import app.cameras
import app.cli
import app.web
from app.cli.main import VERSION
from app.web.album.rendering import TEMPLATES, rendering

for package in (app.bootstrap, app.cameras, app.cli, app.web):
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        import_module(module.name)
for folder in TEMPLATES:
    for page in sorted(folder.glob("*.html")):
        rendering(prefix="", version=VERSION).template(page.name)
