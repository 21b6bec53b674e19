"""Calls as v2 shows them: a leg for what was dialled, one for each who was rung, and what can be done to them."""
