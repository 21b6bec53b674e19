"""What definitions compute: expressions over a run's data, and scripts, which are evaluated in a process of their own."""
