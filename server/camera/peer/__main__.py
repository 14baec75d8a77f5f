"""``python -m server.camera.peer`` starts the publisher, as units in the field have it."""

import runpy

# By its name: this room does not know the one where the publisher is.
runpy.run_module("server.publisher", run_name="__main__", alter_sys=True)
