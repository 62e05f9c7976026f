"""The thread of a tracker: order, second tries, and no time of the training's."""

import time

from cnnctl.runs import Run
from cnnctl.trackers.delivery import Delivery
from cnnctl.trackers.tracker import Ending, Opened, Story


class Notebook:
    """A tracker that writes down what it is told, and fails when it is told to."""

    def __init__(self, epochs=0, seconds=0.0):
        self.epochs = epochs
        self.seconds = seconds
        self.calls = []
        self.failing = {}

    def _call(self, name):
        time.sleep(self.seconds)
        self.calls.append(name)
        if self.failing.get(name, 0) > 0:
            self.failing[name] -= 1
            raise OSError(28, "No space left on device", f"http://me:secret@host/{name}")

    def open(self, story):
        self._call("open")
        return Opened("here", self.epochs, {})

    def epoch(self, row):
        self._call(row["epoch"])

    def close(self, ending):
        self._call(ending.status)


def delivery(tmp_path, tracker, sent=lambda epochs: None):
    told = Story(Run(tmp_path), {}, {}, "")
    return Delivery("notebook", tracker, lambda: told, lambda found: None, sent)


def test_in_order_and_what_is_there_is_not_sent_again(tmp_path):
    tracker, counted = Notebook(epochs=2), []
    one = delivery(tmp_path, tracker, counted.append)
    for epoch in (1, 2, 3, 4):
        one.put({"epoch": epoch, "loss": 1.0})
    one.end(Ending("finished"))
    assert one.wait(10)
    assert tracker.calls == ["open", 3, 4, "finished"]
    assert counted == [3, 4]
    assert one.missing() is None
    assert not one.troubles


def test_what_failed_is_tried_again_with_the_next(tmp_path):
    tracker = Notebook()
    tracker.failing = {"open": 1, 2: 1}
    one = delivery(tmp_path, tracker)
    for epoch in (1, 2, 3):
        one.put({"epoch": epoch})
        time.sleep(0.1)
    one.end(Ending("stopped"))
    assert one.wait(10)
    assert tracker.calls == ["open", "open", 1, 2, 2, 3, "stopped"]
    assert one.missing() is None
    assert len(one.troubles) == 2
    assert "No space left" in one.troubles[0]
    assert "secret" not in str(one.troubles)


def test_one_that_never_answers_is_asked_a_few_times_only(tmp_path):
    """Each try takes its time: hundreds of epochs wait for one of them together."""
    tracker = Notebook(seconds=0.1)
    tracker.failing = {"open": 10**6}
    one = delivery(tmp_path, tracker)
    began = time.perf_counter()
    for epoch in range(1, 501):
        one.put({"epoch": epoch})
    one.end(Ending("finished"))
    assert time.perf_counter() - began < 0.05
    assert one.wait(10)
    assert len(tracker.calls) <= 4
    assert one.missing() == "epochs 1 to 500, its end and its files"
    assert len(one.troubles) == 1


def test_files_that_are_missing(tmp_path):
    tracker = Notebook()
    tracker.failing = {"finished": 1}
    one = delivery(tmp_path, tracker)
    one.put({"epoch": 1})
    one.end(Ending("finished"))
    assert one.wait(10)
    assert one.missing() == "its end and its files"
