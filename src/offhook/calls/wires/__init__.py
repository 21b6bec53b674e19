"""What the telephones and carriers of a call told, each from its INVITE to its end."""
