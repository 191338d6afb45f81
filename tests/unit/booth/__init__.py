"""The photo booth."""
