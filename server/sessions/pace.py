"""How many frames a second a session's sender should send, when more come than anybody looks at.

A frame that is not analyzed was encoded, sent, received and decoded for nothing, by a machine that
has no time to spare.
"""

from __future__ import annotations

LOOK_EVERY_S = 2.0
# Of what comes, so much is analyzed where there is room: a frame is late now and then.
ENOUGH = 0.95
TOO_LITTLE = 0.85
# With fewer, movement can not be followed.
MIN_FPS = 8.0
# What is tried when all that comes is analyzed.
STEP = 1.25
# After more was tried in vain, it is tried again twice as late, up to this.
MAX_PATIENCE_S = 32.0


class Pace:
    """Finds the rate of one session from what came and what was analyzed. Knows no clock.

    Attributes
    ----------
    max_fps
        What the sender should keep to; None while there is room for all that it sends.
    full_fps
        What came before it was told anything.
    """

    def __init__(self) -> None:
        self.max_fps: float | None = None
        self.full_fps = 0.0
        self._looked_s: float | None = None
        self._came = self._analyzed = 0
        self._try_at_s = float("-inf")
        self._patience_s = LOOK_EVERY_S
        self._is_trying = False

    def look(self, now_s: float, came: int, analyzed: int) -> bool:
        """Look at the counts so far, if the time has come; says whether the rate is another now.

        Parameters
        ----------
        now_s
            By the monotonic clock.
        came, analyzed
            Frames since the session began.
        """
        if self._looked_s is None:
            self._note(now_s, came, analyzed)
            return False
        took_s = now_s - self._looked_s
        if took_s < LOOK_EVERY_S:
            return False
        new, done = came - self._came, analyzed - self._analyzed
        self._note(now_s, came, analyzed)
        before = self.max_fps
        # Nobody sent, or this process or its worker stood still: that tells nothing.
        if took_s < 2 * LOOK_EVERY_S and new > LOOK_EVERY_S * MIN_FPS / 2 and done:
            self._judge(now_s, new / took_s, done / took_s)
        return self.max_fps != before

    def _note(self, now_s: float, came: int, analyzed: int) -> None:
        self._looked_s, self._came, self._analyzed = now_s, came, analyzed

    def _judge(self, now_s: float, came_fps: float, done_fps: float) -> None:
        share = done_fps / came_fps
        if share < TOO_LITTLE:
            if self.max_fps is None:
                self.full_fps = came_fps
            if self._is_trying:
                self._patience_s = min(self._patience_s * 2, MAX_PATIENCE_S)
            wanted = max(round(done_fps, 1), MIN_FPS)
            if wanted < came_fps:
                self.max_fps = wanted if self.max_fps is None else min(self.max_fps, wanted)
            self._is_trying = False
            self._try_at_s = now_s + self._patience_s
        elif self.max_fps is not None and share >= ENOUGH and now_s >= self._try_at_s:
            if self._is_trying:
                # The last step held.
                self._patience_s = LOOK_EVERY_S
            self._is_trying = True
            more = round(self.max_fps * STEP, 1)
            self.max_fps = None if more >= self.full_fps else more
