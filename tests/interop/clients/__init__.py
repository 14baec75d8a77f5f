"""WebRTC stacks that are not ours, each as a WHIP and WHEP client of its own process."""
