"""The files that a stranger looks for: they say what the project says elsewhere."""

import re
import tomllib

import yaml  # schemathesis brings it

from tests.support.server import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_license_is_the_one_that_the_package_names() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert text.startswith(f"{PROJECT['license']} License\n")
    assert "Copyright (c) 2026 the Kinecast authors" in text


def test_changelog_has_this_version_and_the_newest_first() -> None:
    headings = re.findall(r"^## \[(\d+)\.(\d+)\.(\d+)\] - (\S+)$", _read("CHANGELOG.md"), re.M)
    versions = [tuple(map(int, numbers)) for *numbers, _ in headings]
    assert versions == sorted(versions, reverse=True)
    # On the way to it, it is called 0.2.0.dev0.
    version = PROJECT["version"].partition(".dev")[0]
    assert tuple(map(int, version.split("."))) in versions
    released = [date for *_, date in headings if date != "Unreleased"]
    assert released
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", date) for date in released)


def test_the_forge_runs_what_everybody_runs_and_nothing_else() -> None:
    workflow = yaml.safe_load(_read(".github/workflows/ci.yml"))
    (job,) = workflow["jobs"].values()
    assert job["container"]["image"].startswith("python:3.11-")
    assert [step["run"] for step in job["steps"] if "run" in step] == [".ci/run"]
    used = [step["uses"] for step in job["steps"] if "uses" in step]
    assert used
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action) for action in used)


def test_before_a_commit_the_checks_of_the_makefile_are_run() -> None:
    (local,) = yaml.safe_load(_read(".pre-commit-config.yaml"))["repos"]
    assert local["repo"] == "local"
    assert all(hook["language"] == "system" for hook in local["hooks"])
    hooks = [hook["entry"].removeprefix(".venv/bin/") for hook in local["hooks"]]
    recipe = re.search(r"^check:.*\n((?:\t.*\n)+)", _read("Makefile"), re.M)
    assert recipe is not None
    checks = re.findall(r"^\t\$\(BIN\)/(.+?)(?: \.)?$", recipe[1], re.M)
    assert hooks == checks


def _read(name: str) -> str:
    return (ROOT / name).read_text()
