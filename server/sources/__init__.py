"""Video that the server itself fetches for a client: cameras, files, URLs, others' streams."""
