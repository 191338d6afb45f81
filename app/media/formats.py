"""The picture formats that are taken, and their file suffixes."""

from __future__ import annotations

SUFFIXES = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp", "BMP": ".bmp", "GIF": ".gif"}
