"""`python -m app`: the same as the command `snapshot-processor`."""

from app.cli.main import main

main()
