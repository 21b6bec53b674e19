"""The numbers a company has: its inventory, which of them are taken and by whom, and numbers made up for a sandbox."""
