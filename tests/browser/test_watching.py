"""Chromium watches the camera: by WHEP, and as MJPEG in an image."""

import pytest

from tests.support.server import COUNTER, running_server

WATCH = """async (codec) => {
  const pc = new RTCPeerConnection();
  const transceiver = pc.addTransceiver('video', {direction: 'recvonly'});
  const known = RTCRtpReceiver.getCapabilities('video').codecs;
  transceiver.setCodecPreferences(known.filter(c => c.mimeType === 'video/' + codec));
  const video = document.createElement('video');
  video.muted = true;
  pc.ontrack = ({track}) => { video.srcObject = new MediaStream([track]); video.play(); };
  document.body.append(video);
  await pc.setLocalDescription();
  await new Promise(done => {
    pc.onicegatheringstatechange = () => pc.iceGatheringState === 'complete' && done();
  });
  const answer = await fetch('/whep/camera', {
    method: 'POST', headers: {'Content-Type': 'application/sdp'}, body: pc.localDescription.sdp,
  });
  await pc.setRemoteDescription({type: 'answer', sdp: await answer.text()});
  window.pc = pc;
  window.video = video;
}"""
COLOURS = """() => {
  const canvas = document.createElement('canvas');
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  const context = canvas.getContext('2d');
  context.drawImage(video, 0, 0);
  return [10, 310].map(x => [...context.getImageData(x, 90, 1, 1).data.slice(0, 3)]);
}"""


@pytest.fixture(scope="module")
def server(chromium, tmp_path_factory):
    flags = ("--camera", "pattern", "--camera-size", "320x180", "--camera-fps", "25")
    with running_server(
        tmp_path_factory.mktemp("watch"), "--analyzers", COUNTER, "--workers", "1", *flags
    ) as running:
        yield running


@pytest.mark.parametrize("codec", ["VP8", "H264"])
def test_by_whep(open_tab, codec):
    page = open_tab()
    page.evaluate(WATCH, codec)
    page.wait_for_function("video.getVideoPlaybackQuality().totalVideoFrames > 25")
    left, right = page.evaluate(COLOURS)
    assert left == pytest.approx([191, 191, 191], abs=25)
    assert right == pytest.approx([0, 0, 191], abs=25)
    page.evaluate("pc.close()")


def test_as_mjpeg(open_tab, server):
    page = open_tab()
    page.evaluate("""() => {
      window.image = new Image();
      image.src = '/stream.mjpg';
      document.body.append(image);
    }""")
    page.wait_for_function("image.naturalWidth === 320")
    assert server.get("/camera/status")["viewers"] == 1
    page.close()
    server.wait_until("/camera/status", lambda status: status["viewers"] == 0)
