"""How right heart and breathing rates are, and how seldom a wrong one is told.

Clips with a known pulse are drawn over a portrait (bench/parts/vitals_scene.py), encoded as VP8 or
H264 as for a call, decoded, and shown to the analyzer with the times of capture. With --data, clips
of people are measured instead: UBFC-rPPG (subject*/vid.avi with ground_truth.txt), PURE (folders of
pictures with a .json), or any clip.mp4 with clip.csv (time in seconds, bpm).

    python -m bench.vitals --quick          # a few clips
    python -m bench.vitals --keep DIR       # rates, bit rates, frame rates, and what is refused
    python -m bench.vitals --refusal        # some sixty clips with nothing to tell: wrong numbers
    python -m bench.vitals --cost           # milliseconds a frame, without and with pose

With --keep, what was read of each clip's frames is kept: a run that was broken off goes on where it
was, and another estimate from the same readings takes a minute.
"""

import argparse
import math
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from scipy.stats import beta

from analyzers.pose import Pose
from analyzers.vitals import Vitals
from analyzers.vitals.pulse import Told
from bench.parts import vitals_data
from bench.parts.faces import actor, of_width, portrait
from bench.parts.vitals_codec import through
from bench.parts.vitals_disturbances import Disturbance
from bench.parts.vitals_readings import Read, Reader, readings, told
from bench.parts.vitals_refusals import refusals as refusal_clips
from bench.parts.vitals_scene import Actor, Scene, frames

# A rate within so many a minute of the true one is right.
WITHIN_BPM = 5.0
# A first number may take so long from the moment of stillness.
FIRST_S = 12.0


@dataclass(frozen=True, slots=True)
class Measured:
    """One clip.

    Attributes
    ----------
    errors : ndarray
        Of each frame that has a rate, beats a minute.
    answered : float
        The part of the frames after `FIRST_S` of stillness that have one, 0..1.
    first_s : float or None
        From stillness to the first number.
    wrong : float
        The part of all frames that have a rate off by more than `WITHIN_BPM`, 0..1.
    breath_error : float or None
        Of the last rate told, breaths a minute; None if none was.
    """

    errors: np.ndarray
    answered: float
    first_s: float | None
    wrong: float
    breath_error: float | None


def measure(
    clip: Iterable[tuple[Read, Told]],
    still_from_s: float = 0.0,
    breaths: float | None = None,
    has_pulse: bool = True,
) -> Measured:
    """Say how right a clip's rates are; without a pulse, any number is wrong."""
    errors, wrong, told_after, first_s, breath, count = [], 0, [], None, None, 0
    for one, said in clip:
        rate, count = said.heart_rate_bpm, count + 1
        breath = said.respiration_per_min or breath
        if rate is not None:
            errors.append(abs(rate - one.bpm))
            wrong += not has_pulse or errors[-1] > WITHIN_BPM
            if first_s is None and one.time_s >= still_from_s:
                first_s = one.time_s - still_from_s
        if one.time_s - still_from_s > FIRST_S:
            told_after.append(rate is not None)
    return Measured(
        np.array(errors),
        float(np.mean(told_after)) if told_after else 0.0,
        first_s,
        wrong / max(count, 1),
        None if breath is None or breaths is None else abs(breath - breaths),
    )


def line(name: str, clips: list[Measured]) -> str:
    """Return a row of the table."""
    errors = np.concatenate([clip.errors for clip in clips])
    breaths = [clip.breath_error for clip in clips if clip.breath_error is not None]
    firsts = [clip.first_s for clip in clips if clip.first_s is not None]
    cells = [
        name,
        str(len(clips)),
        f"{errors.mean():.1f}" if len(errors) else "-",
        f"{np.mean(errors <= WITHIN_BPM):.0%}" if len(errors) else "-",
        f"{np.mean([clip.answered for clip in clips]):.0%}",
        f"{max(firsts):.1f} s" if firsts else "-",
        f"{np.mean([clip.wrong for clip in clips]):.1%}",
        f"{np.mean(breaths):.1f} ({len(breaths)})" if breaths else "-",
    ]
    return f"| {' | '.join(cells)} |"


HEAD = (
    "| | clips | mean error | within 5 | answered | first number | wrong of all | breathing |\n"
    "|---|---|---|---|---|---|---|---|"
)
# From so many bits a second on, and 25 frames, a rate is asked for.
ENOUGH_BITS = 1_000_000
RATES = (47.0, 62.0, 78.0, 95.0, 118.0, 142.0, 166.0, 189.0)


def still_clips(seconds: float) -> list[tuple[str, str, int, Scene]]:
    """Return conditions in which a rate is to be told: name, codec, bits a second, scene."""
    rng = np.random.default_rng(20)
    chosen = []
    conditions = (
        ("VP8", 1_000_000, 30.0, 0.0),
        ("H264", 1_000_000, 25.0, 0.05),
        ("VP8", 2_500_000, 25.0, 0.02),
        ("H264", 2_500_000, 30.0, 0.0),
        ("VP8", 500_000, 25.0, 0.0),
        ("H264", 250_000, 25.0, 0.0),
        ("VP8", 250_000, 15.0, 0.0),
    )
    for number, (codec, bits, fps, skipped) in enumerate(conditions):
        name = f"{codec} {bits / 1e6:g} Mb/s, {fps:g} fps, {skipped:.0%} skipped"
        # Where a rate is asked for, each rate comes twice; below that, most of them once.
        every = 2 if bits >= ENOUGH_BITS else 4
        for at in range(number % every, len(RATES), every):
            bpm = RATES[at]
            # Strong and weak ones beside each other, from half a per cent to two.
            strength = float(np.geomspace(0.005, 0.02, 8)[(3 * at + 5 * (number // 2)) % 8])
            breaths = float(rng.uniform(9.0, 26.0))
            scene = Scene(
                bpm, breaths, strength, seconds, fps, skipped, seed=1000 + 50 * number + at
            )
            chosen.append((name, codec, bits, scene))
    return chosen


def refusals(seconds: float) -> list[tuple[str, Scene, bool]]:
    """Return conditions in which there is nothing to tell, each with whether there is a pulse."""
    base = Scene(seconds=seconds, fps=25.0, seed=3000)
    return [
        ("moving about", replace(base, bpm=84.0, moving_s=seconds), True),
        ("nodding in time", replace(base, bpm=71.0, nod_per_minute=98.0, seed=3001), True),
        ("a photograph, held", replace(base, strength=0.0, seed=3002), False),
        ("a photograph, fixed", replace(base, strength=0.0, sway=0.0, seed=3003), False),
        (
            "a photograph on a screen",
            replace(
                base, strength=0.0, screen=True, seed=3004, by=Disturbance(lines_hz=1.7, lines=0.03)
            ),
            False,
        ),
        ("dark", replace(base, bpm=66.0, brightness=0.12, seed=3005), True),
        ("8 fps", replace(base, bpm=92.0, fps=8.0, seed=3006), True),
        ("no face", replace(base, strength=0.0, seed=3007), False),
    ]


def synthetic(seconds: float, quick: bool, keep: Path | None) -> None:
    """Print a row for each condition, and one for all in which a rate is asked for."""
    reader, person = Reader(), actor(portrait())

    def clip(
        who: Actor, scene: Scene, codec: str = "VP8", bits: int = ENOUGH_BITS
    ) -> Iterator[tuple[Read, Told]]:
        file = None if keep is None else keep / f"{scene.seed}-{seconds:g}.npz"
        shown = lambda: through(frames(who, scene), codec, bits, scene.fps)  # noqa: E731
        return told(readings(shown, reader, file))

    print(HEAD, flush=True)
    rows: dict[str, list[Measured]] = {}
    asked_for: list[Measured] = []
    for name, codec, bits, scene in still_clips(seconds)[:: 9 if quick else 1]:
        measured = measure(clip(person, scene, codec, bits), breaths=scene.breaths)
        rows.setdefault(name, []).append(measured)
        if bits >= ENOUGH_BITS:
            asked_for.append(measured)
    for name, several in rows.items():
        print(line(name, several), flush=True)
    print(line("all of 1 Mb/s and more", asked_for), flush=True)
    scene = Scene(bpm=104.0, moving_s=6.0, seconds=seconds + 6.0, fps=25.0, seed=2000)
    still = measure(clip(person, scene), scene.moving_s, scene.breaths)
    print(line("moving for 6 s, then still", [still]), flush=True)
    refused: list[Measured] = []
    for name, scene, has_pulse in refusals(seconds)[:: 3 if quick else 1]:
        who = Actor(np.full_like(person.picture, 90), None) if name == "no face" else person
        refused.append(measure(clip(who, scene), has_pulse=has_pulse))
        print(line(name, refused[-1:]), flush=True)
    print(line("all of these", refused), flush=True)


# No number can be there before, however sure it is.
EARLIEST_S = 9.0
# Looks that share no frame are apart by a window.
APART_S = 12.0


@dataclass(frozen=True, slots=True)
class Doubtful:
    """What a number was told of for how long, from `EARLIEST_S` on.

    Attributes
    ----------
    seconds, right_s, wrong_s : float
        All of it; with a right number; and with a wrong one.
    """

    seconds: float
    right_s: float
    wrong_s: float


def doubtful(clip: Iterable[tuple[Read, Told]], has_pulse: bool) -> Doubtful:
    """Say for how long a clip in which there is nothing to tell had a number."""
    right_s = wrong_s = seconds = 0.0
    before_s: float | None = None
    for one, said in clip:
        step_s = 0.0 if before_s is None else one.time_s - before_s
        before_s = one.time_s
        if one.time_s < EARLIEST_S:
            continue
        seconds += step_s
        if said.heart_rate_bpm is not None:
            is_right = has_pulse and abs(said.heart_rate_bpm - one.bpm) <= WITHIN_BPM
            right_s, wrong_s = right_s + step_s * is_right, wrong_s + step_s * (not is_right)
    return Doubtful(seconds, right_s, wrong_s)


def upper_bound(clips: list[Doubtful]) -> float:
    """Return what the share of time with a wrong number is below, 95 % sure.

    By Clopper and Pearson (1934), of as many tries as there are windows that share no frame; a
    clip with any wrong number has at least one wrong window.
    """
    tries = max(1, int(sum(clip.seconds for clip in clips) / APART_S))
    wrong = sum(math.ceil(clip.wrong_s / APART_S) for clip in clips)
    return 1.0 if wrong >= tries else float(beta.ppf(0.95, wrong + 1, tries - wrong))


def doubtful_line(kind: str, clips: list[Doubtful]) -> str:
    """Return a row of the table of refusals."""
    seconds = sum(clip.seconds for clip in clips)
    right, wrong = (
        sum(getattr(clip, name) for clip in clips) / max(seconds, 1e-9)
        for name in ("right_s", "wrong_s")
    )
    cells = kind, str(len(clips)), f"{seconds:.0f}", f"{right:.1%}", f"{wrong:.2%}"
    return f"| {' | '.join((*cells, f'{upper_bound(clips):.1%}'))} |"


DOUBTFUL_HEAD = (
    "| | clips | seconds | right number | wrong number | wrong below, 95 % sure |\n"
    "|---|---|---|---|---|---|"
)


def refuse(seconds: float, rounds: int, keep: Path | None) -> None:
    """Print how much of the time there is a wrong number where there is nothing to tell."""
    reader, picture = Reader(), portrait()
    person = actor(picture)
    assert person.face is not None
    kinds: dict[str, list[Doubtful]] = {}
    for each in refusal_clips(seconds, rounds):
        who = person
        if not each.has_face:
            who = Actor(np.full_like(picture, 90), None)
        elif each.width_px is not None:
            who = of_width(picture, person, each.width_px)
        file = None if keep is None else keep / f"{each.scene.seed}-{seconds:g}.npz"
        # Scenes by turns through both encoders.
        codec = ("VP8", "H264")[each.scene.seed % 2]
        shown = lambda who=who, each=each, codec=codec: through(  # noqa: E731
            frames(who, each.scene), codec, ENOUGH_BITS, each.scene.fps
        )
        found = doubtful(told(readings(shown, reader, file)), each.has_pulse)
        kinds.setdefault(each.kind, []).append(found)
        if found.wrong_s:
            print(f"wrong for {found.wrong_s:.1f} s: {each}", file=sys.stderr, flush=True)
    print(DOUBTFUL_HEAD)
    for kind, clips in kinds.items():
        print(doubtful_line(kind, clips))
    print(doubtful_line("**all**", [clip for clips in kinds.values() for clip in clips]))


def cost(seconds: float) -> None:
    """Print what a frame takes, of one core, in all of the process's threads."""
    cv2.setNumThreads(1)
    vitals, pose, person = Vitals(), Pose(), actor(portrait())
    clip = list(frames(person, Scene(seconds=seconds)))
    # What vitals leave in the processor's caches is felt by a pose that comes after them, and not
    # by one that comes after another pose.
    after_vitals, after_pose = "after vitals", "after pose"
    for with_pose in (False, True):
        taken_ms, posed_ms = [], {after_vitals: [], after_pose: []}
        vitals.start("clip", 0.0)
        for sid in posed_ms:
            pose.start(sid, 0.0)
        for one in clip:
            results = {}
            for sid, took_ms in posed_ms.items() if with_pose else ():
                began_s = time.process_time()
                results["pose"] = pose.frame(sid, one.rgb, one.time_s * 1000.0)
                took_ms.append((time.process_time() - began_s) * 1000.0)
            began_s = time.process_time()
            vitals.frame("clip", one.rgb, one.time_s * 1000.0, results=results)
            taken_ms.append((time.process_time() - began_s) * 1000.0)
        vitals.end("clip")
        for sid in posed_ms:
            pose.end(sid)
        mean, p50, p95 = np.mean(taken_ms), *np.percentile(taken_ms, (50, 95))
        print(f"{'with' if with_pose else 'without'} pose: mean {mean:.2f}, ", end="")
        print(f"p50 {p50:.2f}, p95 {p95:.2f} ms a frame", flush=True)
    p50s = {sid: np.percentile(took_ms, 50) for sid, took_ms in posed_ms.items()}
    ratio = p50s[after_vitals] / p50s[after_pose]
    print(f"pose's p50 after vitals {ratio:.3f} of that after pose", flush=True)


def recorded(folder: Path, keep: Path | None) -> None:
    """Print how right it is on clips of people."""
    reader = Reader()
    print(HEAD)
    for name, shown in vitals_data.clips(folder):
        file = None if keep is None else keep / f"{name}.npz"
        read = readings(lambda clip=shown: clip, reader, file)
        print(line(name, [measure(told(read))]), flush=True)


def main() -> int:
    """Measure; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="clips of people")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="where readings are kept")
    parser.add_argument("--quick", action="store_true", help="a few clips only")
    parser.add_argument("--cost", action="store_true", help="what a frame takes")
    parser.add_argument("--refusal", action="store_true", help="only what has nothing to tell")
    parser.add_argument("--rounds", type=int, default=1, help="of all clips of --refusal")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each clip")
    asked = parser.parse_args()
    if asked.data is not None:
        recorded(asked.data, asked.keep)
    elif asked.refusal:
        refuse(asked.seconds, asked.rounds, asked.keep)
    elif asked.cost:
        cost(asked.seconds)
    else:
        synthetic(asked.seconds, asked.quick, asked.keep)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
