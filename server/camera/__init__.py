"""A camera of this machine: its pictures, taken once for all who want them."""
