"""HTTP protocols, one folder each. They translate between HTTP and `inference`, and never import each other."""
