"""Pictures to take away: as a ZIP, with a table of what is known of them."""
