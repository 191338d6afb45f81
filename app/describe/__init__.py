"""A sentence for each event, by a language model that sees pictures."""
