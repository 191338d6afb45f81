"""Image processing: validate, fit to limits, make thumbnails, draw annotations."""
