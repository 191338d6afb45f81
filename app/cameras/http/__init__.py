"""HTTP to cameras: one deadline, a byte cap, both kinds of login."""
