"""What the lines of offices, departments and call centers have in common: hours, routing, menus, and their rules."""
