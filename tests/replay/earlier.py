"""`rcptguard replay` with a policy that depends on earlier mail: played by date, and what each part of it changes."""

import random
import re

import replaycase
import tap

POLICY = """version 1
%s
class internal { domain "corp.example" }
rule refuse { when parties(external) >= 50 reject "no" }
rule wide { when parties(external) >= 10 and not known quarantine "wide" }
rule split { when parties(external) within 10m >= 20 quarantine "{within}" }
default accept
"""


def message(number, minute, people, sender="care@corp.example", date=True):
    lines = ["From: %s" % sender, "To: %s" % ", ".join(people), "Subject: x", "Message-ID: <%d@corp.example>" % number]
    if date:
        lines.append("Date: Mon, 23 Nov 2026 %02d:%02d:00 +0100" % (10 + minute // 60, minute % 60))
    return "From care@corp.example Mon Nov 23 18:34:00 2026\n%s\n\nx\n\n" % "\n".join(lines)


def people(first, count):
    return ["c%d@mail%d.example" % (n, n) for n in range(first, first + count)]


def batches():
    """20 mails of 9 strangers in 20 minutes: the first two pass."""
    return [message(n, n, people(1 + 9 * n, 9)) for n in range(20)]


def circle():
    """Six times the same twelve, of two authors; then one more person; then 60."""
    return ([message(100 + n, 120 + 20 * n, people(500, 12), "bob@corp.example" if n % 2 else "ann@corp.example") for n in range(6)]
            + [message(110, 300, people(500, 13), "ann@corp.example"), message(111, 310, people(600, 60), "ann@corp.example"), message(112, 320, people(600, 2), "ann@corp.example")])


class Earlier(replaycase.ReplayCase):
    MAIL = batches() + circle() + [message(200 + n, 400, people(700 + n, 1)) for n in range(30)]

    def setUp(self):
        self.folder.write("earlier", POLICY % "remember 90d")
        self.folder.write("forgetful", POLICY % "")
        self.folder.write("mail", "".join(self.MAIL))

    def test_each_message(self):
        found, _figures = self.objects("--messages", "mail", policy="earlier")
        self.assertEqual(len(found), len(self.MAIL))
        by_id = {one["message_id"]: (one["verdict"], one["rule"]) for one in found}
        for n in range(20):
            self.assertEqual(by_id["%d@corp.example" % n], ("accept", "default") if n < 2 else ("quarantine", "split"), n)
        for n in range(6):
            self.assertEqual(by_id["%d@corp.example" % (100 + n)], ("quarantine", "wide") if n == 0 else ("accept", "default"), n)
        self.assertEqual(by_id["110@corp.example"], ("quarantine", "wide"))
        self.assertEqual(by_id["111@corp.example"], ("reject", "refuse"))
        self.assertEqual(by_id["112@corp.example"], ("accept", "default"))  # what was refused does not count

    def test_figures(self):
        figures = self.objects("mail", policy="earlier")[1]
        self.assertEqual(figures["state"], {"stopped": 21, "stopped_without_known": 26, "spared_by_known": 5, "added_by_windows": 18, "out_of_order": 0, "undated": 0})
        self.assertEqual(figures["verdicts"]["quarantine"], 20)
        self.assertEqual(figures["messages"], len(self.MAIL))

    def test_text(self):
        said = re.sub(r"\s+", " ", self.replay("mail", policy="earlier"))
        self.assertIn("`known` would have spared 5 of 26 messages that are stopped without it. Windows would have stopped 18 messages more.", said)
        self.assertNotIn("order of the dates", said)

    def test_page(self):
        self.assertIn("would have spared 5 of 26 messages", self.page("mail", policy="earlier"))

    def test_in_any_order(self):
        """the order of the mailbox and the number of threads change nothing but what is said of it"""
        want = self.objects("mail", policy="earlier")[1]
        shuffled = list(self.MAIL)
        random.Random(7).shuffle(shuffled)
        self.folder.write("shuffled", "".join(shuffled))
        for jobs in "1", "4":
            figures = self.objects("--jobs", jobs, "shuffled", policy="earlier")[1]
            self.assertGreater(figures["state"].pop("out_of_order"), 5)
            self.assertEqual({**figures, "state": {**figures["state"], "out_of_order": 0}}["state"], want["state"])
            self.assertEqual(figures["rules"], want["rules"])
        self.assertRegex(self.replay("shuffled", policy="earlier"), r"\d+ messages are not in the order of the dates")

    def test_without_a_date(self):
        self.folder.write("undated", message(1, 0, people(1, 9)) + message(2, 0, people(10, 9), date=False) + message(3, 1, people(19, 9), date=False))
        figures = self.objects("undated", policy="earlier")[1]
        self.assertEqual((figures["state"]["undated"], figures["state"]["added_by_windows"]), (2, 1))

    def test_forgetful(self):
        """without `remember`, nothing is said of known parties"""
        figures = self.objects("mail", policy="forgetful")[1]
        self.assertNotIn("spared_by_known", figures["state"])
        self.assertEqual(figures["state"]["added_by_windows"], 18)

    def test_on_trial(self):
        """what a rule with `monitor` would have stopped is counted as what is stopped"""
        self.folder.write("trial", (POLICY % "").replace("{ when parties(external) within", "{ monitor when parties(external) within"))
        figures = self.objects("mail", policy="trial")[1]
        self.assertEqual((figures["state"]["added_by_windows"], figures["verdicts"]["quarantine"]), (18, 7))
        self.assertIn("Windows would have stopped 18 messages more", re.sub(r"\s+", " ", self.replay("mail", policy="trial")))

    def test_against(self):
        found, figures = self.objects("--against", "forgetful", "mail", policy="earlier")
        self.assertEqual((figures["changed"], len(found)), (5, 5))
        self.assertEqual({(one["old"]["rule"], one["rule"]) for one in found}, {("wide", "default")})

    def test_no_state(self):
        self.assertIsNone(self.objects("mail")[1]["state"])


if __name__ == "__main__":
    tap.main()
