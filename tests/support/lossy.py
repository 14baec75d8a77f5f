"""A line that loses datagrams, or takes long: stands between a peer and the server."""

import asyncio
import contextlib
import random
import re

_CANDIDATE = re.compile(r"^(a=candidate:\S+ \d+ udp \d+) (\S+) (\d+) ", re.MULTILINE)
_ANY_CANDIDATE = re.compile(r"^a=(?:candidate:.*|end-of-candidates)\r?\n", re.MULTILINE)


class LossyLine:
    """Passes datagrams on between a peer and the server, but for some of the media.

    Offer without candidates, and give the answer to `through`: both sides then know only the
    line's ends. What is lost is decided by a generator with a seed.

    Attributes
    ----------
    to_server, to_client
        Which share of the media (SRTP and SRTCP) is lost on that way; set it when the connection
        stands.
    checks
        Which share of the checks whether the other side is there (STUN) is lost, both ways.
    delay_s
        What each way takes, for all that comes from now on.
    lost
        Datagrams so far.
    """

    def __init__(self, seed):
        self.to_server = 0.0
        self.to_client = 0.0
        self.checks = 0.0
        self.delay_s = 0.0
        self.lost = 0
        self._dice = random.Random(seed)
        self._near = None
        self._far = None
        self._client = None

    async def through(self, answer):
        """An answer whose candidates lead here; the line is open from now on."""
        found = _CANDIDATE.search(answer)
        loop = asyncio.get_running_loop()
        self._near, _ = await loop.create_datagram_endpoint(
            lambda: _End(self._from_client), local_addr=("127.0.0.1", 0)
        )
        self._far, _ = await loop.create_datagram_endpoint(
            lambda: _End(self._from_server), remote_addr=(found[2], int(found[3]))
        )
        host, port = self._near.get_extra_info("sockname")
        return _CANDIDATE.sub(rf"\1 {host} {port} ", answer)

    def close(self):
        for end in (self._near, self._far):
            if end is not None:
                end.close()

    def _from_client(self, data, address):
        self._client = address
        if not self._loses(data, self.to_server):
            self._pass_on(self._far, data)

    def _from_server(self, data, _address):
        if self._client is not None and not self._loses(data, self.to_client):
            self._pass_on(self._near, data, self._client)

    def _pass_on(self, end, data, address=None):
        if self.delay_s:
            asyncio.get_running_loop().call_later(self.delay_s, end.sendto, data, address)
        else:
            end.sendto(data, address)

    def _loses(self, data, share):
        # RFC 7983, section 7: a first byte up to 3 is STUN, one from 128 to 191 is RTP or RTCP.
        if data[0] <= 3:
            share = self.checks
        elif not 128 <= data[0] <= 191:
            return False
        if not share or self._dice.random() >= share:
            return False
        self.lost += 1
        return True


class _End(asyncio.DatagramProtocol):
    def __init__(self, received):
        self.datagram_received = received

    def error_received(self, error):
        """The other side has closed its socket."""


def without_candidates(offer):
    """An offer that leaves it to the line where it comes from."""
    return _ANY_CANDIDATE.sub("", offer)


@contextlib.asynccontextmanager
async def lossy_line(seed):
    """A line that is closed at the end."""
    line = LossyLine(seed)
    try:
        yield line
    finally:
        line.close()
