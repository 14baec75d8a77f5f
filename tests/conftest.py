"""What holds for all tests: property-based ones try the same examples each time.

A change is judged by what it changes, not by luck. Others are looked for before a merge, by
`make test-all`.
"""

from hypothesis import settings

settings.register_profile("same", derandomize=True, database=None)
settings.register_profile("others", derandomize=False)
settings.load_profile("same")
