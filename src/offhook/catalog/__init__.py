"""The workbench: API documents, found, read, tried."""
