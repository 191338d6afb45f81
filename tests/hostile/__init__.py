"""What somebody hostile sends: each kind of nonsense to each port, header, field and file."""
