"""Video for many viewers, encoded once: each gets the same packets."""
