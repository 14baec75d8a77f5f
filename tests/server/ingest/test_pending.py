"""Results find back to what came along with their pictures."""

from server.ingest.pending import MAX_PENDING, PendingPictures


def test_each_result_finds_its_own_once():
    pending = PendingPictures()
    pending.add(1, "a")
    pending.add(2, "b")
    assert pending.take(1) == "a"
    assert pending.take(1) is None
    assert pending.take(2) == "b"
    assert pending.take(3) is None, "a picture of nobody's"


def test_what_was_skipped_is_forgotten_and_what_follows_is_not():
    pending = PendingPictures()
    for number, context in enumerate("abcd", start=1):
        pending.add(number, context)
    assert pending.take(3) == "c"
    assert pending.take(2) is None
    assert pending.take(4) == "d"


def test_without_results_the_oldest_goes():
    pending = PendingPictures()
    for number in range(MAX_PENDING + 1):
        pending.add(number, number)
    assert pending.take(0) is None
    assert pending.take(1) == 1
