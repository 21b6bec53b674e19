"""Voice prompts: recordings that callers hear, and which one a target plays for each purpose."""
