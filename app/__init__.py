"""The snapshot service: something happened, show me, tell me what it is, keep it."""
