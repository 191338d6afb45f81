"""The HTTP side: triggers in, events and health out."""
