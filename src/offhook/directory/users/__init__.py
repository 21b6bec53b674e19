"""Users: people with a telephone of their own."""
