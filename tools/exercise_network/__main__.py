"""Makes the network of analyzers/exercise/network: sequences, training, the file of weights.

    python -m venv /tmp/training
    /tmp/training/bin/pip install numpy pillow jax optax
    /tmp/training/bin/python -m tools.exercise_network --stills TABLE.csv --out weights.npz

from the repository's root. JAX is needed for this only, which is why it is no dependency.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Callable
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from tools.exercise_network import sequence, stills
from tools.exercise_network.training import Examples, as_arrays, train

# Each kind has seeds of its own; bench/parts/negatives.py has others still.
_CHECK, _STILLS = 9_000_000, 5_000_000
_CHECKED = 400


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stills", type=Path, required=True, help="the table of labelled stills")
    parser.add_argument("--out", type=Path, required=True, help="the file of weights to write")
    parser.add_argument("--sequences", type=int, default=5900)
    parser.add_argument("--from-stills", type=int, default=1200)
    parser.add_argument("--steps", type=int, default=4500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=1)
    asked = parser.parse_args()
    table = stills.read(asked.stills)
    made = made_by(
        sequence.sequence, range(asked.seed, asked.seed + asked.sequences), asked.processes
    )
    first = _STILLS + asked.seed
    real = made_by(
        partial(stills.sequence, table), range(first, first + asked.from_stills), asked.processes
    )
    check = made_by(sequence.sequence, range(_CHECK, _CHECK + _CHECKED), asked.processes)
    weights = as_arrays(train(examples([*made, *real]), examples(check), asked.steps, asked.seed))
    np.savez(asked.out, **weights)
    size = sum(each.size for each in weights.values())
    print(
        f"{asked.out}: {size} weights, sha256 {hashlib.sha256(asked.out.read_bytes()).hexdigest()}"
    )


def made_by(
    make: Callable[[int], sequence.Sequence], seeds: range, processes: int
) -> list[sequence.Sequence]:
    """Return a sequence for each seed; as many processes make the same."""
    if processes == 1:
        return [make(seed) for seed in seeds]
    with get_context("spawn").Pool(processes) as pool:
        return pool.map(make, seeds, chunksize=50)


def examples(sequences: list[sequence.Sequence]) -> Examples:
    """Return sequences as arrays to train on."""
    return Examples(
        np.stack([each.features for each in sequences]),
        np.stack([each.exercise for each in sequences]),
        np.stack([each.phase for each in sequences]),
        np.stack([each.inside for each in sequences]),
    )


if __name__ == "__main__":
    main()
