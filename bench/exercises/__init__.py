"""The parts of the exercise bench: `clips` counts, `form` names faults."""
