"""What the page is made of: how much it is, what it is served with, its texts, its client."""

import contextlib
import gzip
import re
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from analyzers.exercise import framing
from analyzers.exercise.definitions import definitions
from analyzers.exercise.demonstration import comparing
from analyzers.exercise.demonstration.motion import ANGLES
from analyzers.exercise.shown import HINTS
from server.sessions.every_frame import STATES
from tests.browser.training import squats, write_clip
from tests.browser.views import opened
from tests.support.server import ROOT, running_server
from tools import write_demonstrations

WEB = ROOT / "server" / "web"
# Beside them package.json tells Node, which runs the tests of some, that they are modules, and
# kinecast.d.ts tells TypeScript what kinecast.js has. The page loads neither.
UNUSED = ("package.json", "kinecast.d.ts")
FILES = sorted(p for p in WEB.rglob("*") if p.is_file() and p.name not in UNUSED)
# With those of the parts that are loaded when they are needed.
KEYS = """async ([code, parts]) => Object.assign({}, ...await Promise.all(
  ["", ...parts].map(async (part) => (await import(`/web/texts/${part}${code}.js`)).default)))"""


@pytest.fixture(scope="module")
def camera_clip(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("camera") / "squats.mjpeg", squats())


@pytest.fixture(scope="module")
def server(chromium, examples_url, tmp_path_factory):
    flags = ("--analyzers", "pose,exercise", "--workers", "1", "--allow-origin", examples_url)
    with running_server(tmp_path_factory.mktemp("server"), *flags) as running:
        yield running


@pytest.fixture(scope="module")
def texts(browser, server):
    """All texts, by language."""
    with contextlib.closing(browser.new_context()) as context:
        page = context.new_page()
        page.goto(f"{server.url}/docs")
        codes = [path.stem for path in (WEB / "texts").glob("*.js")]
        parts = [f"{path.name}/" for path in (WEB / "texts").iterdir() if path.is_dir()]
        yield {code: page.evaluate(KEYS, [code, parts]) for code in codes}


def test_no_text_is_in_two_files():
    """What is loaded later would take the place of the other."""
    keys = [
        key
        for path in (WEB / "texts").rglob("en.js")
        for key in re.findall(r"""^  "?([\w.]+)"?:""", path.read_text(), re.MULTILINE)
    ]
    assert len(keys) > 200
    assert sorted(key for key in set(keys) if keys.count(key) > 1) == []


def fetch(url, **headers):
    return urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=60)


# ---- how much


def test_the_client_is_under_12_kB():
    assert len((WEB / "kinecast.js").read_bytes()) < 12_000


def test_the_client_depends_on_nothing():
    assert not re.search(
        r"^\s*import\b|\bimport\(", (WEB / "kinecast.js").read_text(), re.MULTILINE
    )


def sent(url: str) -> tuple[int, bytes]:
    """How many bytes of an address go over the wire, and what they are."""
    with fetch(url, **{"Accept-Encoding": "gzip"}) as answer:
        body = answer.read()
        size = len(body)
        if answer.headers["Content-Encoding"] == "gzip":
            body = gzip.decompress(body)
        return size, body


def check_sent(path: Path, text: str) -> None:
    """A file is sent as it is; scripts and styles without comments and indents, line for line."""
    source = path.read_text()
    if path.suffix == ".css":
        first, *others = source.split("/*")
        left = first + "".join(other.partition("*/")[2] for other in others)
        assert text.split() == left.split()
        assert text.count("\n") == source.count("\n")
        return
    if path.suffix != ".js" or path.name == "kinecast.js":
        assert text == source
        return
    code = [line for line in source.split("\n") if not re.match(r"\s*(//|/?\*)", line)]
    # A text over several lines would lose its indents.
    assert [line for line in code if line.count("`") % 2] == [], path
    lines = zip(text.split("\n"), source.split("\n"), strict=True)
    left_out = []
    for mine, line in lines:
        kept, behind, comment = line.lstrip().rpartition(" // ")
        is_behind = behind and mine == kept and not re.search("[\"'`]", comment)
        if mine != line.lstrip() and not is_behind:
            left_out.append(line.strip())
    # What is left out are comments, whole lines and ends of lines: no code, and nothing of a text.
    assert [line for line in left_out if not line.startswith(("//", "/**", "*"))] == []
    assert not re.search(r"^\s*(//|/\*\*|\*/)", text, re.MULTILINE)


def test_all_of_the_page_is_under_110_kB_on_the_wire(server):
    sizes = []
    for path in FILES:
        size, body = sent(f"{server.url}/web/{path.relative_to(WEB)}")
        sizes.append(size)
        check_sent(path, body.decode())
    print(f"{sum(sizes) / 1000:.1f} kB on the wire")
    assert sum(sizes) < 110_000


def test_train_alone_loads_less_than_55_kB(browser, server):
    with opened(browser, server.url, "train") as view:
        view.page.get_by_role("button", name="Start the camera").click()
        expect(view.page.locator(".chip")).to_have_attribute("data-code", "live", timeout=60_000)
        files = {each for each in view.requested if urlsplit(each).path == "/" or "/web/" in each}
    size = sum(sent(each.partition("#")[0])[0] for each in files)
    print(f"Train loads {size / 1000:.1f} kB in {len(files)} files")
    assert size < 55_000


def test_demonstrations_are_the_athletes():
    """Whoever changes the athlete writes them anew: python -m tools.write_demonstrations."""
    assert (WEB / "views" / "train" / "poses.js").read_text() == write_demonstrations.text()


# ---- how it is served


def test_the_page_at_the_root(server):
    with fetch(server.url) as answer:
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
        assert answer.read() == (WEB / "index.html").read_bytes()


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("app.js", "text/javascript; charset=utf-8"),
        ("kinecast.d.ts", "text/plain; charset=utf-8"),
        ("app.css", "text/css; charset=utf-8"),
        ("icon.svg", "image/svg+xml; charset=utf-8"),
    ],
)
def test_a_file_is_not_sent_again(server, name, content_type):
    with fetch(f"{server.url}/web/{name}") as answer:
        assert answer.headers["Content-Type"] == content_type
        etag = answer.headers["ETag"]
    with pytest.raises(urllib.error.HTTPError) as unchanged:
        fetch(f"{server.url}/web/{name}", **{"If-None-Match": etag})
    assert unchanged.value.code == 304
    with fetch(f"{server.url}/web/{name}", **{"If-None-Match": '"another"'}) as answer:
        assert answer.status == 200


@pytest.mark.parametrize(
    "path", ["nothing.js", "../api/web.py", "%2e%2e/app.py", "views", "package.json"]
)
def test_nothing_else_is_served(server, path):
    with pytest.raises(urllib.error.HTTPError) as missing:
        fetch(f"{server.url}/web/{path}")
    assert missing.value.code == 404


def test_the_sample_comes_in_ranges(server):
    with fetch(f"{server.url}/web/sample.mp4", Range="bytes=4-7") as answer:
        assert answer.status == 206
        assert answer.read() == b"ftyp"


# ---- the texts


def test_both_languages_have_the_same_keys(texts):
    assert set(texts) == {"en", "de"}
    assert texts["en"].keys() == texts["de"].keys()


def test_both_have_the_same_values_to_fill_in(texts):
    for key, text in texts["en"].items():
        found = [
            sorted(set(re.findall(r"\{\w+\}", str(each)))) for each in (text, texts["de"][key])
        ]
        assert found[0] == found[1], key


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_state_of_an_analyzer_that_is_late_has_a_text(texts, language):
    assert [state for state in STATES if not texts[language].get(f"problem.{state}")] == []


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_code_of_the_exercises_has_a_text(texts, language):
    codes = []
    for name, exercise in definitions().items():
        codes += [f"exercise.{name}", f"advice.{name}"]
        codes += [f"warning.{fault.code}" for fault in exercise.faults]
        codes += [f"feedback.{code}" for code, _ in exercise.good]
    codes += [f"warning.{code}" for code in comparing.CODES] + ["feedback.shown_well"]
    codes += [f"joint.{angle}" for angle in ANGLES] + [
        f"hint.{code}" for code in (*HINTS, *framing.TEXTS)
    ]
    assert [code for code in codes if not texts[language].get(code)] == []


def test_every_key_that_the_page_uses_has_a_text(texts):
    used = set()
    for path in FILES:
        if path.suffix in (".js", ".html"):
            used |= set(
                re.findall(r"""\bt\("([\w.]+)"|data-(?:text|label)="([\w.]+)""", path.read_text())
            )
    keys = {one or other for one, other in used}
    assert len(keys) > 50
    assert sorted(keys - texts["en"].keys()) == []


# ---- the client, in a page of somebody else's


def test_the_example_with_the_client(browser, server, examples_url):
    with contextlib.closing(browser.new_context(permissions=["camera"])) as context:
        page = context.new_page()
        problems = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on(
            "console", lambda m: problems.append(m.location["url"]) if m.type == "error" else None
        )
        page.goto(f"{examples_url}/kinecast.html?server={server.url}")
        expect(page.get_by_role("status")).to_have_text("live", timeout=60_000)
        expect(page.locator("pre")).to_contain_text("squat 2", timeout=60_000)
        page.get_by_role("button", name="Stop").click()
        expect(page.locator("pre")).to_contain_text(re.compile(r"^\d+ in all\nsquat \d+"))
        expect(page.get_by_role("status")).to_have_text("ended")
        assert [each for each in problems if "favicon" not in each] == []


def test_the_example_is_short():
    text = (ROOT / "client_test" / "examples" / "kinecast.html").read_text()
    assert len([line for line in text.splitlines() if line.strip()]) <= 33


def test_latencies_are_measured(browser, server):
    """By a page whose clock is far from the server's."""
    with contextlib.closing(browser.new_context(permissions=["camera"])) as context:
        page = context.new_page()
        page.goto(f"{server.url}/docs")
        told = page.evaluate(
            """async () => {
              const { Kinecast } = await import("/web/kinecast.js");
              const camera = await navigator.mediaDevices.getUserMedia({ video: true });
              const kinecast = new Kinecast(location.origin);
              const some = new Promise((resolve) => {
                const latencies = [];
                kinecast.addEventListener("result", ({ detail }) => {
                  if (!Number.isNaN(detail.latency_ms)) latencies.push(detail.latency_ms);
                  if (latencies.length === 30) resolve(latencies);
                });
              });
              await kinecast.start(camera);
              const latencies = await some;
              const { round_trip_ms, clock_offset_ms } = kinecast;
              const clock_ms = Date.now() - performance.now();
              await kinecast.stop();
              camera.getTracks()[0].stop();
              return { latencies, round_trip_ms, clock_ms, clock_offset_ms };
            }"""
        )
    assert 0 < told["round_trip_ms"] < 5000
    # Both run on this machine: their clocks are the same.
    assert told["clock_offset_ms"] == pytest.approx(told["clock_ms"], abs=told["round_trip_ms"] + 5)
    # Nothing is there before it was made, give or take what the clock is known to.
    assert min(told["latencies"]) > -told["round_trip_ms"]
