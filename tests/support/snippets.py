"""The code in the older APIs' documents, where those lie beside the checkout."""

import re
import textwrap
from pathlib import Path

import pytest

from tests.support.server import ROOT

DOCUMENTS = ROOT.parent / "shared" / "seeds"


def document_with(text: str) -> str:
    """The document that has this in it; skips the test where there is none."""
    for path in sorted(DOCUMENTS.glob("*.txt")):
        # Some were saved in a wrong encoding once: their code is ASCII.
        content = path.read_text(encoding="utf-8", errors="replace")
        if text in content:
            return content
    pytest.skip(f"no document about {text} in {_shown(DOCUMENTS)}")


def _shown(path: Path) -> str:
    return f"../{path.relative_to(ROOT.parent)}"


def fenced(document: str, language: str) -> list[str]:
    """Code between fences of Markdown."""
    return re.findall(rf"^```{language}\n(.*?)^```", document, re.DOTALL | re.MULTILINE)


def below(document: str, heading: str) -> str:
    """What stands below a heading, up to the next one; indented as it is, so not at all."""
    lines = document.splitlines()
    (start,) = (i for i, line in enumerate(lines) if line.strip() == heading)
    # Headings have a number, or end in a colon and are no code; an arrow may be in them.
    is_heading = re.compile(r"\s{0,3}(\d+\. \w|[A-Z][^{}()]*:$)").match
    rest = lines[start + 1 :]
    end = next((i for i, line in enumerate(rest) if is_heading(line)), len(rest))
    return textwrap.dedent("\n".join(rest[:end])).strip()


def pointed_at(code: str, port: int) -> str:
    """The code with the server's port in place of the one that it was written for."""
    changed, count = re.subn(r"(\w+://localhost):\d+", rf"\g<1>:{port}", code)
    assert count == 1, code
    return changed
