"""What people do with the album, in a real Chromium."""
