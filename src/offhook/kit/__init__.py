"""What has no subject: clock, ids, errors, wire conventions, paging, settings. Imports nothing of the house."""
