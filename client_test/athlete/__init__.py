"""The athlete: people rendered from solids, exercising, with exact ground truth.

Every pixel is computed here, so a clip can be made at any length, size and frame rate, needs no
one's likeness, and comes with the true position of each joint. `python -m client_test.athlete
--list` names the clips.

World coordinates are metres, right-handed: x to the camera's right, y up, z towards the camera;
the floor is y = 0. A person's own frame has x to their left and z in front of them.
"""
