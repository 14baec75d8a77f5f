"""BlazePose on MediaPipe itself: the reference."""
