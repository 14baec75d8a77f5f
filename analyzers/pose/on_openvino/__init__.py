"""BlazePose's networks on OpenVINO."""
