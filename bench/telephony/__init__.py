"""Calls through the whole product, measured: a real server, its telephone process, and a load generator beside them."""
