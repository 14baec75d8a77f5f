"""Looking for a person in a video file, as fast as the machine allows."""
