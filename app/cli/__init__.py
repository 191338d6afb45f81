"""The command line `snapshot-processor`."""
