"""What an operation answered once, kept by name as an example of it, longer than the history of runs."""
