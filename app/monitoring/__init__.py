"""Metrics, the heartbeat, and external monitors."""
