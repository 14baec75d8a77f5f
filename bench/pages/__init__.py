"""What bench/page.py is made of: the camera's clip, the probe in the page, the figures."""
