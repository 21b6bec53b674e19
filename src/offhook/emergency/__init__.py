"""Where help is sent: addresses, the rules of each country for them, and which office needs one on record."""
