"""The web page at / and the API documents at /docs."""
