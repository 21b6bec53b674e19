"""The API of Conductor, so that its clients drive this engine unchanged."""
