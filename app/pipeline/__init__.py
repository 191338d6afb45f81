"""The stages of the pipeline, each a plain object that is tested by calling it."""
