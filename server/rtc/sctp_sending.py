"""SCTP's sending: a result leaves in one go, and what is lost is missed and sent again soon.

A result is a message of up to ten packets, thirty times a second. aiortc sends four of them and
keeps the others for an acknowledgement, so that each takes a whole round trip longer than its way.
What is different here:

- **The window begins with ten packets** instead of three, as TCP's does (RFC 6928) and as
  browsers' SCTP does, and **no burst is smaller than what it allows**. The window is what the path
  has carried within the last round trips; Max.Burst, which RFC 9260, section 6.1, leaves to be
  set, keeps a large one from going out at once.
- **The window grows while it is not full**, up to twice what was under way in slow start, and one
  packet beyond it afterwards (draft-ietf-ccwg-ratelimited-increase-09, which is to update
  RFC 9260, section 7.2.1). aiortc lets it grow only while data waits, and data that waits is late.
- **A piece is missed by what was sent after it.** aiortc counts all acknowledgements that leave it
  out, also those of what was under way when it was sent again, so it is sent again too often; and
  RFC 9260, section 7.2.4, sends it again once and then waits for the timer. To look at when
  each was sent, as RFC 8985 does for TCP, finds what was lost twice within a round trip. And it
  waits for more than three reports where packets are seen to overtake each other.
- **The timer is shorter**: 0.4 s at least and 1 s at first, instead of 1 s and 3 s. RFC 9260,
  section 16, recommends 1 s for both; 0.4 s is what Chromium has, more than the 0.2 s for which
  a peer may keep an acknowledgement. It sends again only what is not known to have arrived.

- **A loss without a queue takes a fifth of the window**, not half, as in TCP Veno (Fu and Liew,
  2003): a radio link loses packets without being full, and a full path lets them wait first.
  Half would leave 170 packets a second over 50 ms with 2 % lost: fewer than thirty results have.

On a path that is congested it gives way like any SCTP or TCP. Each round trip with a loss makes the
window smaller, by half where a queue had built up, whether the piece is sent again or given up
(RFC 3758). When the timer ends, the window
is one packet, and the timer twice as long, which aiortc's never is. A window that was not used for
so long is halved, down to what a connection begins with. Four packets are the least after a loss
(RFC 9260, section 7.2.3), and so much a droppable channel keeps, however much is lost.

This can go when aiortc does the same; tests/server/rtc/test_sctp_sending.py counts packets.
"""

from __future__ import annotations

import time
from collections import deque
from typing import Any

import aiortc.rtcsctptransport as sctp
from aiortc.rtcsctptransport import DataChunk, RTCSctpTransport, SackChunk
from aiortc.utils import uint32_gt, uint32_gte

from server.rtc.passed_over import pass_over

# In pieces, each of which is a packet.
INITIAL_WINDOW = 10
MIN_WINDOW_AFTER_LOSS = 4
MAX_BURST = 32
# Kept until a peer has acknowledged all before it; one that leaves a hole open gets no more.
MAX_KEPT = 1024
# More where the path is seen to mix packets up, so far as a result has packets.
MISSING_REPORTS, MAX_MISSING_REPORTS = 3, 10
RTO_INITIAL_S, RTO_MIN_S = 1.0, 0.4
# A peer may answer 0.2 s late (RFC 9260, section 6.2), however steady its path is.
MIN_SLACK_S = 0.22
# After an outage of whatever length the next try is no further off.
MAX_BACKOFF_S = 3.0
# TCP Veno's: a loss while fewer of the window's pieces wait in the path's queues is the path's.
QUEUED_PIECES = 3
LEFT_WITHOUT_QUEUE = 0.8
# A path may become another, and a queue that stays is the path's length then.
PATH_FOR_S = 10.0
SAMPLES = 4
_TSN = 1 << 32

_original_update_rto = RTCSctpTransport._update_rto


def install() -> None:
    """Replace how aiortc's SCTP sends, and what it makes of acknowledgements."""
    sctp.SCTP_RTO_INITIAL, sctp.SCTP_RTO_MIN = RTO_INITIAL_S, RTO_MIN_S  # type: ignore[assignment]
    RTCSctpTransport._receive_sack_chunk = _receive_sack_chunk  # type: ignore[method-assign]
    RTCSctpTransport._t3_expired = _t3_expired  # type: ignore[method-assign]
    RTCSctpTransport._transmit = _transmit  # type: ignore[method-assign]


def begin(association: Any) -> None:
    """Give a new association what is kept of each here."""
    association._cwnd = INITIAL_WINDOW * sctp.USERDATA_MAX_LENGTH
    # The most that was under way since the window was last made smaller.
    association._kinecast_most_under_way = 0
    association._kinecast_reports = MISSING_REPORTS
    association._kinecast_sent_s = time.monotonic()
    # Round trips are measured one after the other: by pieces from this one on.
    association._kinecast_timed_tsn = association._local_tsn
    association._kinecast_queue = QueueEstimate()


class QueueEstimate:
    """How much of a round trip is waiting in queues: what the quickest of late took less."""

    def __init__(self) -> None:
        self._recent_s: deque[float] = deque(maxlen=SAMPLES)
        # Of the last whole period, and of the one that goes on.
        self._quickest_s = [float("inf"), float("inf")]
        self._began_s = 0.0

    def add(self, now_s: float, round_trip_s: float) -> None:
        """Take a round trip's time; a late acknowledgement is one of several."""
        if now_s - self._began_s > PATH_FOR_S:
            self._quickest_s = [self._quickest_s[1], float("inf")]
            self._began_s = now_s
        self._recent_s.append(round_trip_s)
        self._quickest_s[1] = min(self._quickest_s[1], round_trip_s)

    def share(self) -> float:
        """The share of the last round trips that was spent waiting, 0..1."""
        recent_s = min(self._recent_s, default=0.0)
        return 1.0 - min(self._quickest_s) / recent_s if recent_s > 0.0 else 0.0


async def _transmit(self: Any) -> None:
    """Send what may be sent: what was lost first, then what waits."""
    if self._forward_tsn_chunk is not None:
        await self._send_chunk(self._forward_tsn_chunk)
        self._forward_tsn_chunk = None
        if not self._t3_handle:
            self._t3_start()
    if self._outbound_queue and not self._flight_size:
        _shrink_after_idling(self)
    window = min(self._flight_size + MAX_BURST * sctp.USERDATA_MAX_LENGTH, self._cwnd)
    is_earliest = True
    for piece in self._sent_queue:
        if piece._retransmit:
            if self._fast_recovery_transmit:
                # The first is sent whatever the window is (RFC 9260, section 7.2.4).
                self._fast_recovery_transmit = False
            elif self._flight_size >= window:
                return
            await _send(self, piece)
            if is_earliest:
                self._t3_restart()
        is_earliest = False
    while self._outbound_queue and self._flight_size < window and len(self._sent_queue) < MAX_KEPT:
        piece = self._outbound_queue.popleft()
        self._sent_queue.append(piece)
        await _send(self, piece)
        if not self._t3_handle:
            self._t3_start()


async def _send(self: Any, piece: DataChunk) -> None:
    self._flight_size_increase(piece)
    self._kinecast_most_under_way = max(self._kinecast_most_under_way, self._flight_size)
    piece._misses, piece._retransmit = 0, False
    piece._sent_count += 1
    piece._sent_time = self._kinecast_sent_s = time.monotonic()
    await self._send_chunk(piece)


def _shrink_after_idling(self: Any) -> None:
    """Halve the window for each timeout without a packet (RFC 9260, section 7.2.1).

    A path that nothing was sent on may have become another; it is as new then, and not worse.
    """
    timeouts = int((time.monotonic() - self._kinecast_sent_s) / self._rto)
    least = INITIAL_WINDOW * sctp.USERDATA_MAX_LENGTH
    if timeouts and self._cwnd > least:
        self._ssthresh = self._cwnd
        self._cwnd = max(self._cwnd >> min(timeouts, 16), least)
        self._kinecast_most_under_way = 0


async def _receive_sack_chunk(self: Any, chunk: SackChunk) -> None:
    """Note what has arrived and what is missing, and go on sending."""
    if uint32_gt(self._last_sacked_tsn, chunk.cumulative_tsn):
        return
    began_s = time.monotonic()
    if self._kinecast_time.is_spent(began_s):
        pass_over(self, "An acknowledgement", "the peer has taken all the time that it may")
        return
    advances = chunk.cumulative_tsn != self._last_sacked_tsn
    arrived = _arrived(self, chunk)
    if timed := [piece for piece in arrived if piece._sent_count == 1]:
        self._kinecast_queue.add(began_s, began_s - (timed[-1]._sent_time or began_s))
    _learn_order(self, arrived, chunk.duplicates)
    _time_round_trip(self, arrived)
    is_lost = _miss(self, arrived)
    # Nothing else is done in between, and the thread's own clock takes longer to read.
    self._kinecast_time.spend(time.monotonic() - began_s)
    if self._fast_recovery_exit is None:
        if advances:
            _grow(self, sum(piece._book_size for piece in arrived))
        if is_lost:
            # Pieces that were given up may have been the last.
            self._fast_recovery_exit = self._sent_queue[-1].tsn
            self._fast_recovery_transmit = True
            _shrink(self, _share_after_loss(self))
            self._cwnd = self._ssthresh
    elif uint32_gte(chunk.cumulative_tsn, self._fast_recovery_exit):
        self._fast_recovery_exit = None
        self._fast_recovery_transmit = False
    if not self._sent_queue:
        self._t3_cancel()
    elif advances:
        self._t3_restart()
    self._update_advanced_peer_ack_point()
    await self._data_channel_flush()
    await self._transmit()


def _arrived(self: Any, sack: SackChunk) -> list[DataChunk]:
    """The pieces that this acknowledgement is the first to name."""
    self._last_sacked_tsn = sack.cumulative_tsn
    arrived = []
    while self._sent_queue and uint32_gte(sack.cumulative_tsn, self._sent_queue[0].tsn):
        piece = self._sent_queue.popleft()
        self._flight_size_decrease(piece)
        if not piece._acked:
            arrived.append(piece)
    named = {at for first, last in sack.gaps for at in range(first, last + 1)}
    for piece in self._sent_queue:
        is_named = (piece.tsn - sack.cumulative_tsn) % _TSN in named
        if is_named and not piece._acked:
            piece._acked, piece._retransmit = True, False
            self._flight_size_decrease(piece)
            arrived.append(piece)
        elif piece._acked and not is_named:
            # The peer has dropped it again, as it may (RFC 9260, section 6.2.1).
            piece._acked = False
            self._flight_size_increase(piece)
    return arrived


def _learn_order(self: Any, arrived: list[DataChunk], duplicates: list[int]) -> None:
    """Wait for more reports where what was missed arrives after all (as RFC 4653 does for TCP).

    A duplicate was sent again, or given up, while it was on its way (RFC 3708).
    """
    overtaken = max((piece._misses + 1 for piece in arrived if piece._sent_count == 1), default=0)
    reports = max(self._kinecast_reports + len(duplicates), overtaken)
    self._kinecast_reports = min(reports, MAX_MISSING_REPORTS)


def _time_round_trip(self: Any, arrived: list[DataChunk]) -> None:
    """Measure one round trip after the other (RFC 9260, section 6.3.1, rules C4 and C5)."""
    timed = [piece for piece in arrived if piece._sent_count == 1]
    if timed and uint32_gte(timed[-1].tsn, self._kinecast_timed_tsn):
        self._kinecast_timed_tsn = self._local_tsn
        _original_update_rto(self, time.monotonic() - (timed[-1]._sent_time or 0.0))
        self._rto = max(self._rto, self._srtt + MIN_SLACK_S)


def _miss(self: Any, arrived: list[DataChunk]) -> bool:
    """Strike what was sent before something that arrived; returns whether a piece is lost."""
    # Of what was sent twice nobody knows which arrived.
    newest_s = max((p._sent_time or 0.0 for p in arrived if p._sent_count == 1), default=0.0)
    is_lost = False
    for piece in self._sent_queue:
        if piece._acked or piece._abandoned or piece._retransmit or piece._sent_time >= newest_s:
            continue
        piece._misses += 1
        if piece._misses >= self._kinecast_reports:
            piece._retransmit = not self._maybe_abandon(piece)
            self._flight_size_decrease(piece)
            is_lost = True
    return is_lost


def _grow(self: Any, arrived_bytes: int) -> None:
    piece, most = sctp.USERDATA_MAX_LENGTH, self._kinecast_most_under_way
    if self._cwnd <= self._ssthresh:
        if self._cwnd < 2 * most:
            self._cwnd += min(arrived_bytes, piece)
        return
    self._partial_bytes_acked += arrived_bytes
    if self._partial_bytes_acked >= self._cwnd:
        self._partial_bytes_acked -= self._cwnd
        if self._cwnd < most + piece:
            self._cwnd += piece


def _share_after_loss(self: Any) -> float:
    """What is left of the window after a loss: half where a queue had built up (RFC 9260)."""
    waiting = self._kinecast_queue.share() * self._cwnd / sctp.USERDATA_MAX_LENGTH
    return 0.5 if waiting >= QUEUED_PIECES else LEFT_WITHOUT_QUEUE


def _shrink(self: Any, left: float) -> None:
    least = MIN_WINDOW_AFTER_LOSS * sctp.USERDATA_MAX_LENGTH
    self._ssthresh = max(int(self._cwnd * left), least)
    self._partial_bytes_acked = 0
    self._kinecast_most_under_way = self._flight_size


def _t3_expired(self: Any) -> None:
    """Nothing was heard for so long: begin anew with one packet (RFC 9260, section 6.3.3)."""
    self._t3_handle = None
    for piece in self._sent_queue:
        if not piece._acked:
            piece._retransmit = not self._maybe_abandon(piece)
            self._flight_size_decrease(piece)
    self._fast_recovery_exit = None
    self._fast_recovery_transmit = False
    if self._sent_queue:  # And not only that pieces were given up.
        _shrink(self, 0.5)
        self._cwnd = sctp.USERDATA_MAX_LENGTH
    self._update_advanced_peer_ack_point()
    self._kinecast_reports = MISSING_REPORTS
    self._rto = max(self._rto, min(self._rto * 2, MAX_BACKOFF_S))
    self._loop.create_task(self._transmit())
