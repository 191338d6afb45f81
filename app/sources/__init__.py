"""Trigger sources: who says that something happened."""
