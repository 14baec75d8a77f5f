"""What is watched at a node that is not there: whether it is waited for."""

import pytest

from server.cluster.member import Member
from server.cluster.node import MAX_NODES, Node
from server.cluster.placing import NodeState
from server.security.identity import ANONYMOUS
from server.watching.elsewhere import Elsewhere
from signaling.errors import Busy


async def find(tmp_path, count, inner_port, number):
    """A session's video of a node, asked for at the first one, which is alone."""
    node = Node(0, count, str(tmp_path), (), (), 0, inner_port)
    elsewhere = Elsewhere(Member(node, lambda: NodeState("")))
    try:
        return await elsewhere.find(f"{number:02x}{7:014x}", ANONYMOUS)
    finally:
        await elsewhere.close()


async def test_one_that_is_started_again_is_waited_for(tmp_path):
    with pytest.raises(Busy):
        await find(tmp_path, 2, (), 1)


@pytest.mark.parametrize(("count", "inner_port"), [(2, ()), (MAX_NODES, (9,))])
async def test_one_that_never_was_has_nothing(tmp_path, count, inner_port):
    """On several machines too, where any number might be a node's."""
    assert await find(tmp_path, count, inner_port, 0xFF) is None
