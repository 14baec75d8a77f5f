"""What the tests share: a real server, tracks to send it, analyzers that do what a test needs."""
