"""How much work each client may cause."""

import pytest

from server.security.budget import Budget
from signaling.errors import TooMany


async def test_each_client_has_its_own_and_is_told_when_to_come_again():
    budget = Budget("offers", "3/minute; 100/hour")
    for _ in range(3):
        await budget.charge("ann")
    with pytest.raises(TooMany, match="one client gets 3 offers a minute") as refused:
        await budget.charge("ann")
    assert 1 <= refused.value.retry_after_s <= 61
    await budget.charge("bob")


async def test_no_rates_are_no_limit():
    budget = Budget("offers", "")
    for _ in range(1000):
        await budget.charge("ann")
