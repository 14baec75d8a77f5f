"""What axe-core finds wrong with a page for those who do not see it, or use no mouse."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

_SERIOUS = ("serious", "critical")
# WCAG 2.2 has it; axe leaves it out unless it is asked.
_OPTIONS = {"rules": {"target-size": {"enabled": True}}}


def serious_faults(page: Page) -> list[str]:
    """The serious and critical ones, each with where it is."""
    found = Axe().run(page, options=_OPTIONS).response
    assert found["passes"], "axe looked at nothing"
    return [
        f"{fault['id']}: {fault['help']}: {[node['html'] for node in fault['nodes']]}"
        for fault in found["violations"]
        if fault["impact"] in _SERIOUS
    ]
