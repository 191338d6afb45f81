"""What goes wrong around and in the service, one fault at a time, each with a ledger and a bound."""
