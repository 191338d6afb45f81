"""Logs, metrics, health, Sentry."""
