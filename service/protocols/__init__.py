"""One folder per HTTP protocol. They translate between HTTP and `inference`, and never import each other."""
