"""What bench/fanout.py found: the tables, and which targets are reached."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from bench.fanout_forward import VIEWERS, Forwarded
from bench.fanout_runs import Window
from bench.report import CHECK_COLUMNS, machine
from bench.targets import Check, at_least, at_most

MAX_VIEWER_PERCENT = 5.0
MAX_OF_BASELINE = 0.2
MIN_DELIVERED = 0.99
MAX_GLASS_MS = 120.0
MAX_FORWARDING = 0.35
# With fewer frames the machine was too full for a figure.
MIN_TO_COUNT = 0.9
# With less of the machine left over, what is lost or late is its doing.
FULL_PERCENT = 95.0

COLUMNS = (
    "server",
    "viewers",
    "server CPU %",
    "per further viewer %",
    "ms a frame and viewer",
    "fps each",
    "delivered %",
    "kb/s each",
    "viewers' CPU %",
    "machine %",
)
FORWARD_COLUMNS = (
    "publisher's codec",
    "server alone CPU %",
    f"forwarding to {VIEWERS}",
    "delivered %",
    "decoding",
    "encoding once",
    "share",
    "sending left out",
    "aiortc's encoder",
    "share",
    f"other codec to {VIEWERS}, with decoding",
    "share",
)
Table = tuple[str, Sequence[str], list[tuple[str, ...]]]


@dataclass(slots=True)
class Fanout:
    """Everything that was measured in one run."""

    codec: str
    rounds: int
    seconds: float
    fps: float
    windows: dict[tuple[str, int], list[Window]] = field(default_factory=dict)
    latencies_ms: list[float] = field(default_factory=list)
    forwarded: list[Forwarded] = field(default_factory=list)
    busy_percent: list[float] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, server: str, viewers: int, window: Window) -> None:
        """Note a window."""
        self.windows.setdefault((server, viewers), []).append(window)

    def settings(self) -> list[str]:
        """How it was measured: a line each."""
        return [
            *machine(),
            f"Rounds: {self.rounds}, windows of {self.seconds:g} s, the servers in turn, viewers of"
            f" {self.codec}",
        ]

    def further_viewer_ms(self, server: str, viewers: int) -> float:
        """CPU for each frame that each viewer after the first takes.

        By the frame: on a full machine there are fewer of them, which would look like less work.
        """
        return (self._frame_ms(server, viewers) - self._frame_ms(server, 1)) / (viewers - 1)

    def further_viewer_percent(self, server: str, viewers: int) -> float:
        """CPU of a core that each viewer after the first takes, at the camera's rate."""
        return self.further_viewer_ms(server, viewers) * self.fps / 10

    def _frame_ms(self, server: str, viewers: int) -> float:
        return 10 * self._server_percent(server, viewers) / max(self._fps(server, viewers), 1e-9)

    def _server_percent(self, server: str, viewers: int) -> float:
        return statistics.fmean(w.server_percent for w in self.windows[server, viewers])

    def _fps(self, server: str, viewers: int) -> float:
        return statistics.fmean(w.fps for w in self.windows[server, viewers])

    # ---- tables

    def tables(self) -> list[Table]:
        """Titles, headings and rows."""
        tables: list[Table] = []
        if self.windows:
            tables.append(("One camera to many viewers", COLUMNS, self._rows()))
        if self.forwarded:
            rows = [_forward_row(each) for each in self.forwarded]
            tables.append(("Forwarding a publisher's video", FORWARD_COLUMNS, rows))
        verdicts = [
            (c.what, c.asked, c.measured, "reached" if c.reached else "falls short")
            for c in self.checks()
        ]
        tables.append(("Targets", CHECK_COLUMNS, verdicts))
        return tables

    def _rows(self) -> list[tuple[str, ...]]:
        rows = []
        for (server, viewers), windows in self.windows.items():
            has_one = viewers > 1 and (server, 1) in self.windows
            further = f"{self.further_viewer_percent(server, viewers):.2f}" if has_one else "-"
            rows.append(
                (
                    server,
                    str(viewers),
                    f"{self._server_percent(server, viewers):.1f}",
                    further,
                    f"{self.further_viewer_ms(server, viewers):.2f}" if has_one else "-",
                    f"{self._fps(server, viewers):.1f}",
                    f"{100 * _delivered(windows):.1f}",
                    f"{statistics.fmean(w.kbps for w in windows):.0f}",
                    f"{100 * sum(w.viewers_cpu_s / w.seconds for w in windows) / len(windows):.0f}",
                    f"{max(w.machine_percent for w in windows):.0f}",
                )
            )
        return rows

    # ---- targets

    def checks(self) -> list[Check]:
        """What was set out to be reached."""
        checks = []
        ours = sorted(n for server, n in self.windows if server == "kinecast" and n > 1)
        theirs = sorted(n for server, n in self.windows if server == "baseline" and n > 1)
        for viewers in ours:
            percent = self.further_viewer_percent("kinecast", viewers)
            what = f"{viewers} viewers: % of a core for each after the first"
            delivered = _delivered(self.windows["kinecast", viewers])
            checks.append(_if_whole(at_most(what, percent, MAX_VIEWER_PERCENT), delivered))
            what = f"{viewers} viewers: frames delivered, of made"
            checks.append(at_least(what, delivered, MIN_DELIVERED))
        if ours and theirs:
            # The fewest, which leave the machine room: a full one gives the baseline less CPU than
            # its encoders need, so that it seems to take less.
            most, least = ours[-1], theirs[0]
            theirs_ms = self.further_viewer_ms("baseline", least)
            share = self.further_viewer_ms("kinecast", most) / theirs_ms
            what = f"a further viewer of {most}, of the baseline's with {least}, a frame"
            delivered = min(
                _delivered(self.windows[each]) for each in (("kinecast", most), ("kinecast", 1))
            )
            checks.append(_if_whole(at_most(what, share, MAX_OF_BASELINE), delivered))
        if self.latencies_ms:
            p50 = float(np.median(self.latencies_ms))
            checks.append(at_most("10 viewers: glass to glass p50, ms", p50, MAX_GLASS_MS))
        for codec in dict.fromkeys(each.codec for each in self.forwarded):
            share = statistics.fmean(f.share_of_same for f in self.forwarded if f.codec is codec)
            what = f"forwarding {codec} to {VIEWERS}, of decoding, encoding once and sending it"
            checks.append(at_most(what, share, MAX_FORWARDING))
        return checks

    def all_notes(self) -> list[str]:
        """What a reader should know."""
        notes = list(self.notes)
        if self.forwarded:
            notes.append(
                f"Shares: what forwarding to {VIEWERS} viewers takes, of the same plus decoding"
                " plus encoding once, with the encoder before the share; of decoding and encoding"
                " only, where sending is left out; the last one is of a server that did it, in the"
                " other codec."
            )
        if self.latencies_ms:
            p50, p95 = np.percentile(self.latencies_ms, (50, 95))
            notes.append(
                f"Glass to glass with 10 viewers, from the stamp in the camera's picture to the"
                f" decoded one: p50 {p50:.0f} ms, p95 {p95:.0f} ms, {len(self.latencies_ms)}"
                " pictures."
            )
        full = [
            f"{server} with {viewers}"
            for (server, viewers), windows in self.windows.items()
            if max(w.machine_percent for w in windows) >= FULL_PERCENT
        ]
        if full:
            notes.append(
                f"The machine was full with {', '.join(full)}: server and viewers share it, and"
                " what is missing there is not the server's alone."
            )
        if self.busy_percent:
            notes.append(
                f"Before the servers were started, the machine was busy with other things by at"
                f" most {max(self.busy_percent):.0f} %."
            )
        return notes


def _delivered(windows: list[Window]) -> float:
    return statistics.fmean(window.delivered for window in windows)


def _if_whole(check: Check, delivered: float) -> Check:
    """A figure of a server that could not do its work is none."""
    if delivered >= MIN_TO_COUNT:
        return check
    return replace(check, measured=f"{check.measured}, on a full machine", reached=False)


def _forward_row(each: Forwarded) -> tuple[str, ...]:
    return (
        str(each.codec),
        f"{each.alone_percent:.1f}",
        f"{each.forward_percent:.1f}",
        f"{100 * each.forwarded.delivered:.1f}",
        f"{each.work.decode_percent:.1f}",
        f"{each.work.encode_percent:.1f}",
        f"{each.share_of_same:.2f}",
        f"{each.share_without_sending:.2f}",
        f"{each.work.aiortc_encode_percent:.1f}",
        f"{each.share_of_aiortc:.2f}",
        f"{each.encoded_percent:.1f}",
        f"{each.forward_percent / each.encoded_percent:.2f}",
    )
