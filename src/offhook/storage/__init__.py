"""The store: database, the batching writer, readers, migrations, backup. Knows no subject's tables by name."""
