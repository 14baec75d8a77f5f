"""How well people are found, told apart and followed."""
