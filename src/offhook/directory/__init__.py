"""Who can be called: users, rooms, departments, call centers, call routers, contacts, prompts, and what lines share."""
