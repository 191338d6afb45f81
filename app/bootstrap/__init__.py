"""Builds the service from its settings."""
