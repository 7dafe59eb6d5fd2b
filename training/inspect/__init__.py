"""`python -m training inspect`: report the content of a table, and how a run would read it."""
