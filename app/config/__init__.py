"""The configuration: what can be set, where it is read, and its reference."""
