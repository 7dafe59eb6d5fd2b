"""From a table or the article's series to rows that can be trained on."""
