"""The album: pages on which people look at what the cameras saw."""
