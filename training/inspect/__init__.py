"""`python -m training inspect`: what a table holds, and what a run would do with it."""
