"""Events to open pages, as they happen."""
