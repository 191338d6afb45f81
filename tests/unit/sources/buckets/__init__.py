"""What sources of objects share, and those without SQS."""
