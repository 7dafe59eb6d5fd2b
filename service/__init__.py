"""Online: load, validate, predict, answer."""
