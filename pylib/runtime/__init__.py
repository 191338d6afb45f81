"""Threads, and what runs in them."""
