"""From time to time one line says how many messages were judged and how many were not."""

import guardcase
import policies
import tap


class Summary(guardcase.GuardCase):
    CONFIG = {("log", "summary"): "1s"}

    def test_counts(self):
        outside = self.mta("192.0.2.7")
        mark = self.guard.mark()
        for _ in range(3):
            self.judge(to=policies.people(2))
        for _ in range(5):
            self.send(outside, sender="list@outside.test", to=["care@me.example"])
        self.guard.wait_for_line(r"judged=\d+", mark=mark)
        judged = unjudged = 0
        # The messages may fall on both sides of a line: add up until all are there.
        while (judged, unjudged) != (3, 5):
            line = self.guard.wait_for_line(r"judged=\d+ not-outbound=\d+ since \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$", mark=mark)
            with self.guard.changed:
                mark = self.guard.lines.index(line, mark) + 1
            words = dict(word.split("=") for word in line.split() if "=" in word)
            judged += int(words["judged"])
            unjudged += int(words["not-outbound"])
            self.assertLessEqual(judged, 3)
            self.assertLessEqual(unjudged, 5)


if __name__ == "__main__":
    tap.main()
