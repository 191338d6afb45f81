"""The photo booth: guests take pictures of themselves, and get them as an animation by a code and by mail."""
