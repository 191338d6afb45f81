"""What cameras push: the servers and the folder that take it, and the inbox."""
