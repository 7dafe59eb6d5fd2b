"""`python -m training score`: send the newest values of a table to a service, as actual values."""
