"""What Dockerfile and the compose files say, and what the server knows of it."""

import json
import re

import compose_spec

from server.config import Settings
from tests.support.server import ROOT

COMPOSE = (ROOT / "compose.yaml").read_text()


def variables(group):
    """Names in the environment that a group of settings reads."""
    return {name for setting in group.settings() for name in setting.variables}


KNOWN = variables(Settings) | {"XDG_DATA_HOME", "XDG_CACHE_HOME", "PATH"}


def instructions():
    """(stage, instruction, its text) in order, lines joined and comments left out."""
    lines = [
        line
        for line in (ROOT / "Dockerfile").read_text().splitlines()
        if not line.lstrip().startswith("#")
    ]
    text = re.sub(r"\\\n", " ", "\n".join(lines))
    stage, found = "", []
    for line in filter(None, (line.strip() for line in text.splitlines())):
        name, _, rest = line.partition(" ")
        if name == "FROM":
            stage = rest.rpartition(" AS ")[2]
        found.append((stage, name, rest.strip()))
    return found


def of(stage, name):
    return [
        rest for found, instruction, rest in instructions() if (found, instruction) == (stage, name)
    ]


def compose(text=COMPOSE):
    # The parser knows no variables where a port has to be: they have their defaults there.
    ports = r"^\s+- \$\{(?:ICE_)?PORT:-.*$"
    text = re.sub(ports, lambda m: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", m[0]), text, flags=re.M)
    options = compose_spec.PyOptions()
    options.apply_merge = True
    read = options.from_yaml(text)
    read.validate()
    return json.loads(read.to_json())
