"""Pictures of how Kinecast is built: ``python -m tools.architecture`` draws them into docs/."""
