"""What the user of a key may do: their own things, those of an office they administer, what a policy gives them."""
