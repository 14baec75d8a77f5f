"""Where the publisher was; units in the field start it under this name."""
