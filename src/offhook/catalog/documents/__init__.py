"""API documents: what they say, kept by version."""
