"""What analyzers draw with: anti-aliased strokes, and plates with text, on an RGB picture."""
