"""How well detectors see, how quick they are and what they cost, on pictures of which it is known what they show."""
