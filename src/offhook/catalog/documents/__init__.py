"""API documents: read whatever they are written in, cut into pieces, listed, compared. Pure."""
