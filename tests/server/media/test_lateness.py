"""Late frames are told from punctual ones, whatever the clocks do."""

from server.media.lateness import GIVE_IN_AFTER_S, LATE_MS, Lateness

STEP_S = 1 / 30


def told(lateness, behinds_ms, now_s=100.0, step_s=STEP_S):
    return [lateness.is_late(ms, now_s + at * step_s) for at, ms in enumerate(behinds_ms)]


def test_jitter_is_not_late():
    assert not any(told(Lateness(), [20, 120, 0, 200, 60, LATE_MS - 1] * 10))


def test_what_lay_about_is_late_up_to_what_is_new():
    lateness = Lateness()
    told(lateness, [10] * 30)
    # Two seconds of frames come at once.
    backlog = [2000 - 33 * at for at in range(60)]
    late = told(lateness, backlog, now_s=103.0, step_s=0.001)
    assert late == [behind > 10 + LATE_MS + 2 for behind in backlog]
    assert not any(told(lateness, [12] * 30, now_s=103.1))


def test_a_path_that_has_become_longer_is_given_in_to():
    lateness = Lateness()
    told(lateness, [10] * 30)
    late = told(lateness, [2 * LATE_MS] * 60, now_s=101.0)
    assert late == [at * STEP_S < GIVE_IN_AFTER_S for at in range(60)]
    # It may be shorter again at once.
    assert not any(told(lateness, [10] * 5, now_s=104.0))


def test_clocks_may_drift():
    slow, quick = Lateness(), Lateness()
    hour = range(0, 3600, 5)
    # 100 ppm, which is more than crystals do.
    assert not any(slow.is_late(0.1 * s, s) for s in hour)
    assert not any(quick.is_late(-0.1 * s, s) for s in hour)
    assert slow.is_late(0.1 * 3600 + 2 * LATE_MS, 3600)
