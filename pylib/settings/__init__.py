"""Settings from a file, the environment, secret files and a vault."""
