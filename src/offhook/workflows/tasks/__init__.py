"""What a run hands out to be done: HTTP requests and scripts. Each gives the outcome of one attempt."""
