"""What holds for all tests: property-based ones try the same examples each time.

A change is judged by what it changes, not by luck. Others are looked for before a merge, by
`make test-all`. None has a deadline: what an example takes is the machine's, and others use that.
"""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers

PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

settings.register_profile("same", PATIENT, derandomize=True, database=None)
settings.register_profile("others", PATIENT, derandomize=False)
settings.load_profile("same")


def pytest_configure(config: pytest.Config) -> None:
    """Keep examples from depending on which other tests ran in this process before.

    Hypothesis draws from the constants of all modules of ours that are imported by then.
    """
    if config.getoption("--hypothesis-profile", None) is None and hasattr(
        providers, "_get_local_constants"
    ):
        providers._get_local_constants = providers.Constants
