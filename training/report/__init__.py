"""The report: experiments that compare the LSTM with simpler models, and the page with their results."""
