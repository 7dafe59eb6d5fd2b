"""Training data: a table or the article's series, read and turned into rows of windows and targets."""
