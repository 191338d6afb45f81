"""The HTTP side: triggers and uploads in, events, pages and health out."""
