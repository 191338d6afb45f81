"""What lies on the disk: cache, thumbnails, videos, and how long each stays."""
