"""Fingers on a phone's screen."""

from __future__ import annotations

from playwright.sync_api import Locator, Page

STEPS = 6


def swipe(page: Page, *, to_left: bool, over: Locator | None = None) -> None:
    """Drag one finger across the screen, or over a part of it, once the page is there and listens."""
    page.wait_for_load_state()
    size = page.viewport_size
    assert size is not None
    if over:
        over.scroll_into_view_if_needed()
    box = over.bounding_box() if over else None
    left, top, width = (box["x"], box["y"] + 40, box["width"]) if box else (0, size["height"] * 0.3, size["width"])
    start, end = (0.85, 0.15) if to_left else (0.15, 0.85)
    client = page.context.new_cdp_session(page)

    def touch(kind: str, share: float | None = None) -> None:
        points = [] if share is None else [{"x": left + width * share, "y": top}]
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", start)
    for step in range(1, STEPS + 1):
        touch("touchMove", start + (end - start) * step / STEPS)
    touch("touchEnd")
    client.detach()
