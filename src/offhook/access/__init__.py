"""Who may ask, for whom, and how often: companies, environments, API keys, rate limits, idempotency, the gate."""
