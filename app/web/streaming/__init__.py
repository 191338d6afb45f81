"""Streams events to open pages as they happen."""
