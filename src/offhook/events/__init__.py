"""What happened: the outbox, written in the transaction of the change itself, in a closed vocabulary."""
