"""`python -m app`: the same as the command `snapshot-processor`."""

from app.cli import main

main()
