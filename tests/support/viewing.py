"""Taking part in a broadcast, packet by packet."""

import asyncio


class Over(Exception):
    """There are no more packets."""


async def next_packet(viewer):
    """The next packet that a viewer gets."""
    packets, told = [], asyncio.Event()

    def take(packet):
        if packets:
            return False
        packets.append(packet)
        return True

    viewer.listen(told.set)
    async with asyncio.timeout(60):
        while True:
            told.clear()
            viewer.give(take)
            if packets:
                return packets[0]
            if viewer.is_over:
                raise Over
            await told.wait()
