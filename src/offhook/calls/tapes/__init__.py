"""What is recorded of calls: messages in boxes and recordings of calls, the sound on a shelf, the rest in the store."""
