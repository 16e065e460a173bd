"""Reference data and the demo's content: dictionaries, dated parameters, a believable Jinan."""
