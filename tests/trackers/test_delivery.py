"""The thread of a tracker: order, second tries, and no time of the training's."""

from threading import Condition, Event

from cnnctl.runs.run import Run
from cnnctl.trackers.delivery import Delivery
from cnnctl.trackers.tracker import Ending, Opened, Story


class Notebook:
    """A tracker that writes down what it is told, and fails when it is told to."""

    def __init__(self, epochs=0):
        self.epochs = epochs
        self.calls = []
        self.failing = {}
        self.answers = Event()
        self.answers.set()
        self.called = Condition()

    def _call(self, name):
        self.answers.wait()
        with self.called:
            self.calls.append(name)
            self.called.notify_all()
        if self.failing.get(name, 0) > 0:
            self.failing[name] -= 1
            raise OSError(28, "No space left on device", f"http://me:secret@host/{name}")

    def until(self, calls):
        """Wait until it has been told this."""
        with self.called:
            assert self.called.wait_for(lambda: self.calls == calls, 60), self.calls

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
    assert one.wait(60)
    assert tracker.calls == ["open", 3, 4, "finished"]
    assert counted == [3, 4]
    assert one.missing() is None
    assert not one.troubles


def test_what_failed_is_tried_again_with_the_next(tmp_path):
    tracker = Notebook()
    tracker.failing = {"open": 1, 2: 1}
    one = delivery(tmp_path, tracker)
    for epoch, before in ((1, ["open"]), (2, ["open", "open", 1]), (3, ["open", "open", 1, 2])):
        tracker.until(before)
        one.put({"epoch": epoch})
    one.end(Ending("stopped"))
    assert one.wait(60)
    assert tracker.calls == ["open", "open", 1, 2, 2, 3, "stopped"]
    assert one.missing() is None
    assert len(one.troubles) == 2
    assert "No space left" in one.troubles[0]
    assert "secret" not in str(one.troubles)


def test_one_that_never_answers_is_asked_a_few_times_only(tmp_path):
    """The training does not wait for it: hundreds of epochs wait for a try together."""
    tracker = Notebook()
    tracker.failing = {"open": 10**6}
    tracker.answers.clear()
    one = delivery(tmp_path, tracker)
    for epoch in range(1, 501):
        one.put({"epoch": epoch})
    one.end(Ending("finished"))
    assert tracker.calls == []
    tracker.answers.set()
    assert one.wait(60)
    assert tracker.calls == ["open", "open"]
    assert one.missing() == "epochs 1 to 500, its end and its files"
    assert len(one.troubles) == 1


def test_files_that_are_missing(tmp_path):
    tracker = Notebook()
    tracker.failing = {"finished": 1}
    one = delivery(tmp_path, tracker)
    one.put({"epoch": 1})
    one.end(Ending("finished"))
    assert one.wait(60)
    assert one.missing() == "its end and its files"
