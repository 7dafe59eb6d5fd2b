"""When the LSTM is worth it: experiments, their verdicts, and the page that shows them."""
