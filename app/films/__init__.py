"""Films of what cameras saw over days: which pictures, how they look, and the job that makes them."""
