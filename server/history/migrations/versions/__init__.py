"""One file a change, each after the one that it names."""
