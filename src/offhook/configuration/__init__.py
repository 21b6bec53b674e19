"""A company as a file: exported, compared with what there is, and made so, all of it or nothing."""
