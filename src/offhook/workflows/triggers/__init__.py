"""How workflows are started by themselves: by time, by what happens, by a call from outside."""
