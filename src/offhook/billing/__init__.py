"""Plans: what an office is billed, when, to whom and how it is paid."""
