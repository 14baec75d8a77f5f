"""The exercises, one module each: `EXERCISE` in it is a `Definition`."""
