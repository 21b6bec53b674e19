"""Access control policies: what users may change, and where."""
