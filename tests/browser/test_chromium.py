"""A real browser as the client: Chromium, with a camera that plays the sample video."""

import contextlib
import time

import psutil
import pytest

MDNS_PORT = 5353
PHONE = {"width": 390, "height": 844}


def connect(page, **options):
    """Open a peer connection in a tab; returns when the answer has been applied."""
    page.evaluate("options => connect(options)", {"analyzers": ["counter"], **options})


def wait_for_results(page, count=10):
    """The results so far, as soon as there are so many."""
    page.wait_for_function("count => client.results.length >= count", arg=count)
    return page.evaluate("client.results")


def end(page):
    """End the session as a client does; returns the final result."""
    page.evaluate("client.channel.send('end session')")
    page.wait_for_function("client.results.at(-1)?.final")
    return page.evaluate("client.results.at(-1)")


def session_of(page, server):
    """What the server says of the tab's session."""
    return server.get(f"/sessions/{page.evaluate('client.session.id')}")


def test_a_camera_gives_poses_until_the_client_ends_the_session(open_tab, server):
    page = open_tab()
    connect(page, analyzers=["pose"])
    results = wait_for_results(page, 20)
    numbers = [result["frame"]["number"] for result in results]
    assert numbers == sorted(set(numbers))
    assert not any(result["final"] for result in results)
    found = [result for result in results if result["has_pose"]]
    assert len(found) > 15
    for result in found:
        assert [landmark["index"] for landmark in result["landmarks"]] == list(range(33))
        assert all(0 <= mark["x"] <= 1 and 0 <= mark["y"] <= 1 for mark in result["landmarks"])
    final = end(page)
    assert final["pose_summary"]["frames_with_pose"] >= len(found)
    assert page.evaluate("client.states") == ["connecting", "connected"]
    candidates = page.evaluate("client.candidates")
    assert len(candidates) > 1
    assert candidates[-1] == ""
    status = session_of(page, server)
    assert status["states"] == ["new", "streaming", "ending", "ended"]
    assert status["end_reason"] == "the client ended it"


def test_an_offer_over_http_with_all_candidates_in_it(open_tab, server):
    page = open_tab()
    connect(page, door="http")
    assert page.evaluate("client.candidates")
    assert wait_for_results(page)[-1]["count"] >= 10
    assert end(page)["total"] >= 10
    assert session_of(page, server)["state"] == "ended"


@pytest.mark.parametrize(
    "way",
    [{"door": "websocket"}, {"door": "websocket", "far": True}, {"door": "http"}],
    ids=["near", "far", "http"],
)
def test_a_page_that_hides_its_addresses_connects(open_tab, server, way):
    page = open_tab()
    connect(page, source="canvas", disguise=True, **way)
    red, green, blue = wait_for_results(page, 1)[0]["mean_rgb"]
    assert red > 2 * max(green, blue), "the canvas is red"
    candidates = [text for text in page.evaluate("client.candidates") if text]
    assert candidates
    assert all(text.split()[4].endswith(".local") for text in candidates)
    ports = [c.laddr.port for c in psutil.Process(server.process.pid).net_connections("udp")]
    assert ports
    assert MDNS_PORT not in ports, "no name is looked up by multicast"
    end(page)


def test_h264_alone(open_tab):
    page = open_tab()
    codecs = page.evaluate("RTCRtpSender.getCapabilities('video').codecs.map(c => c.mimeType)")
    if "video/H264" not in codecs:
        pytest.skip("this Chromium was built without an H264 encoder")
    connect(page, codec="H264")
    wait_for_results(page, 20)
    sent = page.evaluate(
        """async () => {
          const report = [...(await client.peer.getStats()).values()];
          const codec = report.find(({ type }) => type === "outbound-rtp").codecId;
          return report.find(({ id }) => id === codec).mimeType;
        }"""
    )
    assert sent == "video/H264"
    assert end(page)["total"] >= 20


def test_sound_in_the_same_offer_is_taken(open_tab):
    page = open_tab()
    connect(page, audio=True)
    wait_for_results(page)
    page.wait_for_function(
        """async () => [...(await client.peer.getStats()).values()].some(
          (s) => s.type === "remote-inbound-rtp" && s.kind === "audio" && s.packetsReceived > 10)"""
    )
    assert page.evaluate("client.peer.getTransceivers().map(t => t.currentDirection)") == [
        "sendonly",
        "sendonly",
    ]
    end(page)


def test_a_closed_tab_is_noticed_within_5_s(open_tab, server):
    page = open_tab()
    connect(page, source="canvas")
    wait_for_results(page)
    path = f"/sessions/{page.evaluate('client.session.id')}"
    began = time.monotonic()
    page.close()
    server.wait_until(path, lambda status: status["state"] == "disconnected")
    assert time.monotonic() - began < 5.0


def test_a_reloaded_page_goes_on_counting(open_tab):
    page = open_tab()
    connect(page)
    before = wait_for_results(page)[-1]
    session = page.evaluate("client.session")
    page.reload()
    connect(page, resume=session["resume"])
    after = wait_for_results(page, 1)[0]
    assert page.evaluate("client.session.id") == session["id"]
    assert after["count"] > before["count"]
    assert after["frame"]["number"] > before["frame"]["number"]
    assert end(page)["total"] > before["count"]


def test_the_minimal_example(browser, server, examples_url):
    with contextlib.closing(browser.new_context(viewport=PHONE)) as context:
        context.set_default_timeout(60_000)
        page = context.new_page()
        problems = []
        page.on("pageerror", lambda error: problems.append(error))
        page.goto(f"{examples_url}/minimal.html?server={server.url.replace('http', 'ws')}")
        before = wait_for_shown(page, "result.has_pose && result.count >= 10")
        painted = page.evaluate(
            """() => {
              const canvas = document.querySelector("canvas");
              const { data } = canvas.getContext("2d").getImageData(0, 0, 640, 480);
              return data.filter((value, index) => index % 4 === 3 && value > 0).length;
            }"""
        )
        # Bones of some 900 px in all, 4 px wide, and 33 joints.
        assert 1500 < painted < 10_000
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        # It keeps the token: a reload goes on with the session.
        page.reload()
        after = wait_for_shown(page, "result.has_pose")
        assert after["count"] > before["count"]
        page.get_by_role("button", name="Stop").click()
        final = wait_for_shown(page, "result.final")
        assert final["total"] >= after["count"]
        assert page.get_by_role("status").inner_text() == "ended"
        assert problems == []


def wait_for_shown(page, condition):
    """The result that the page shows, as soon as it fulfils a condition."""
    shown = page.wait_for_function(
        f"""() => {{
          const result = JSON.parse(document.querySelector("pre").textContent || "{{}}");
          return {condition} ? result : null;
        }}"""
    )
    return shown.json_value()
