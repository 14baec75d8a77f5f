"""The parts of bench/pose.py."""
