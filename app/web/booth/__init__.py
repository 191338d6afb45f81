"""The photo booth's page, its API, and the page of a guest who was there."""
