"""What definitions compute: expressions over a run's data, and scripts, evaluated in a process of their own."""
