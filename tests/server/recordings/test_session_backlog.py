from server.recordings.session_backlog import MAX_VIDEO_FRAMES, Backlog
from tests.server.recordings.movies import numbered


def test_small_frames_are_bounded_by_their_number() -> None:
    backlog = Backlog()
    frame = numbered(1)
    for number in range(1000):
        backlog.put_video(frame, 33.0 * number)
    backlog.close()

    times_ms = []
    while (batch := backlog.take()) is not None:
        assert batch.video is not None
        times_ms.append(batch.video[1])

    assert times_ms == [33.0 * number for number in range(MAX_VIDEO_FRAMES)]
    assert backlog.video_dropped == 1000 - MAX_VIDEO_FRAMES
