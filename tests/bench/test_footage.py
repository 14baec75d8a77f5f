"""What is read of a data folder, and what is said of one where something is missing."""

import cv2
import numpy as np
import pytest

from analyzers.networks.boxes import Box
from bench.parts.people import read_crops, read_truth, with_truth, within


def test_boxes_are_read_by_frame(tmp_path):
    (tmp_path / "a_gt.txt").write_text("1,7,10,20,30,40,1,-1,-1,-1\n3,1,1,2,3,4,1,-1,-1,-1\n")
    truth = read_truth(tmp_path / "a.mp4")
    assert {n: [(p.identity, p.box) for p in people] for n, people in truth.items()} == {
        1: [(7, Box(10, 20, 40, 60))],
        3: [(1, Box(1, 2, 4, 6))],
    }


def test_a_line_of_another_format_is_named(tmp_path):
    (tmp_path / "a_gt.txt").write_text("1,1,10,20,30,40\nhello\n")
    with pytest.raises(ValueError, match=r"a_gt\.txt is not in MOTChallenge's format"):
        read_truth(tmp_path / "a.mp4")


def test_only_videos_with_truth_are_taken(tmp_path):
    folder = tmp_path / "people_videos"
    folder.mkdir()
    with pytest.raises(ValueError, match=r"no video NAME\.mp4 with NAME_gt\.txt"):
        with_truth(tmp_path)
    for name in ("a.mp4", "b.mp4", "b_gt.txt"):
        (folder / name).touch()
    assert with_truth(tmp_path) == [folder / "b.mp4"]


def test_of_a_box_what_is_in_the_frame_counts():
    assert within(Box(-5, 10, 700, 500, 0.5), 640, 480) == Box(0, 10, 640, 480, 0.5)


def test_crops_are_told_apart_by_their_names(tmp_path):
    with pytest.raises(ValueError, match=r"no crops IIII_NN\.jpg of two cameras"):
        read_crops(tmp_path)
    for name in ("0007_04", "0007_05"):
        cv2.imwrite(str(tmp_path / f"{name}.jpg"), np.zeros((128, 64, 3), np.uint8))
    assert [(c.identity, c.camera_b) for c in read_crops(tmp_path)] == [(7, False), (7, True)]
    (tmp_path / "0008_01.jpg").write_text("no picture")
    with pytest.raises(ValueError, match=r"0008_01\.jpg is no picture"):
        read_crops(tmp_path)
