"""Addresses, listening sockets, deadlines."""
