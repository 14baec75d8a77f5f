"""Recordings of what can be watched: viewers' packets in MP4 files, which are kept for a time."""
