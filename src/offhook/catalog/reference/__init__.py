"""What a reference page says of one operation, and what can be copied from it. Pure."""
