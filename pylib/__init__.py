"""Threads, sockets, brokers and configuration: what a long-running service needs, and nothing of cameras."""
