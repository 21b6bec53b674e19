"""Who has which number: assigned, taken back, exchanged, with the lines of the plan that this takes."""
