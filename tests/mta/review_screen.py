"""`rcptguardq review` on a real terminal: each key, small and bare terminals, hostile mail, and what ends it."""

import os
import signal

import daemon
import policies
import review
import screen

# A subject that would clear the screen, move the cursor, rename the window and ring, if a terminal got it.
HOSTILE = "=?utf-8?q?Hi=1B=5B2J=1B=5B1;1Hgone=1B=5D0;owned=07=C2=9B31m=E2=80=AEevil?="

RULES = """\
rule secret {
    when sender in "secret@me.example" and parties(external) >= 2
    quarantine "{parties} outside parties would see each other" approvals 2
}
""" + policies.RULES


class Review(review.ReviewCase):
    POLICY = policies.policy(rules=RULES)

    def start(self, *arguments, **options):
        terminal = screen.Screen(self.command("review", *arguments), **options)
        self.addCleanup(terminal.__exit__)
        return terminal

    def quit(self, terminal, said):
        terminal.keys("q")
        self.assertEqual(terminal.wait_end(), review.DONE)
        self.assertIn(said, terminal.wait_for(said))
        self.assertTrue(terminal.is_restored())

    # ---- what is seen

    def test_facts(self):
        """one screen of 80x24 has all that a decision needs"""
        held = self.hold("auth", subject="Price list", people=policies.people(11) + policies.private(30))
        terminal = self.start()
        terminal.wait_for("1 of 1  %s" % held.id)
        text = terminal.wait_for("scroll")  # which is drawn last
        for words in ("on hold for", "wide Cc: 41 addresses, 41 parties", "wide-cc, line", "parties(external) >= 10", "has 41", "care@me.example, login care, client 127.0.0.1",
                      "Price list", "41 outside of 41 parties in 16 domains", "6  free1.test (individuals)", "1  cust1.example", "r release  t return  d delete  s skip"):
            self.assertIn(words, text)
        self.assertNotIn("patient1", text, "no recipient unless asked for")
        self.assertEqual(terminal.cursor(), "0")
        self.quit(terminal, "0 decided.")
        self.assertOnHold(held)

    def test_more(self):
        """the header and every party, the addresses, the message; the same key again leads back"""
        held = self.hold(people=policies.people(16), subject="Price list")
        terminal = self.start(lines=60)
        terminal.wait_for(held.id)
        facts = terminal.wait_for("r release")  # the last row, so that nothing is still to be drawn
        self.assertNotIn("Message-ID", facts)
        terminal.keys("m")
        terminal.wait_for("Message-ID")
        text = terminal.wait_for("other           cust16.example")
        self.assertNotIn("c16@cust16.example", text)
        terminal.keys("a")
        self.assertIn("c1@cust1.example", terminal.wait_for("c16@cust16.example"))
        terminal.keys("v")
        terminal.wait_for("Hello.")
        terminal.keys("v")
        daemon.wait_until(lambda: terminal.rows()[1:] == facts.split("\n")[1:terminal.lines], what="the facts")  # the first row tells the age

    def test_scrolling(self):
        """what is longer than the screen is scrolled, and it says where one is"""
        held = self.hold(people=policies.people(45), cc=policies.people(45))
        terminal = self.start(lines=15, columns=60)
        terminal.wait_for(held.id)
        terminal.keys("a")
        terminal.wait_for("lines 1 to 11 of ")
        terminal.keys("Space")
        terminal.wait_for("lines 12 to 22 of ")
        terminal.keys("Down")
        terminal.wait_for("lines 13 to 23 of ")
        terminal.keys("-")
        terminal.wait_for("lines 2 to 12 of ")
        for _ in range(12):
            terminal.keys("PageDown")
        self.assertIn("c45@cust45.example", terminal.wait_for("c45@"))
        self.assertIn("r release", terminal.text())

    def test_order(self):
        """the oldest first; skip and back, and after the last a summary, from where one can begin again"""
        held = [self.hold(subject="Number %d" % number) for number in range(3)]
        terminal = self.start()
        terminal.wait_for("1 of 3  %s" % held[0].id)
        terminal.keys("s")
        terminal.wait_for("2 of 3  %s" % held[1].id)
        terminal.keys("Right")
        terminal.wait_for("3 of 3  %s" % held[2].id)
        terminal.keys("b")
        terminal.wait_for("Number 1")
        terminal.keys("s", "s")
        terminal.wait_for("That was the last of 3; 0 decided.")
        another = self.hold()
        terminal.keys("b")
        terminal.wait_for("3 of 3")
        terminal.keys("g")
        terminal.wait_for("1 of 4  %s" % held[0].id)
        terminal.keys("s", "s", "s")
        terminal.wait_for(another.id)
        self.quit(terminal, "0 decided.")

    def test_nothing(self):
        """what is not ours is not for review; without a message there is no screen"""
        terminal = self.start()
        self.assertEqual(terminal.wait_end(), review.DONE)
        self.assertIn("Nothing waits.", terminal.text())

    # ---- deciding

    def decide(self, terminal, key, reason):
        terminal.keys(key)
        terminal.wait_for("Reason to ")
        terminal.type(reason)
        terminal.keys("Enter")
        terminal.wait_for("y: do it")
        terminal.keys("y")

    def test_release(self):
        """a reason on one line, a yes, and it is on its way; the next one is shown"""
        held, other = self.hold(), self.hold()
        terminal = self.start()
        terminal.wait_for(held.id)
        self.decide(terminal, "r", "Anna called")
        terminal.wait_for("%s: released" % held.id)
        terminal.wait_for("2 of 2  %s" % other.id)
        self.assertArrived(held)
        self.assertEqual(self.events(held.id), [("root", "release", "Anna called", None)])
        self.assertLogged(held.id, 'release by=root .* reason="Anna called"')
        self.assertOnHold(other)
        terminal.keys("b")
        terminal.wait_for("released by root")
        terminal.keys("d")
        terminal.wait_for("%s: was released by root on" % held.id)
        self.quit(terminal, "1 decided.")

    def test_return_and_delete(self):
        """with their own keys"""
        back, gone = self.hold(), self.hold()
        terminal = self.start()
        terminal.wait_for(back.id)
        self.decide(terminal, "t", "use Bcc")
        terminal.wait_for("%s: returned to its sender" % back.id)
        self.decide(terminal, "d", "spam")
        terminal.wait_for("%s: deleted" % gone.id)
        terminal.wait_for("That was the last of 2; 2 decided.")
        self.assertEqual((self.state(back.id), self.state(gone.id)), ("returned", "deleted"))
        self.assertEqual(self.mta.held(), [])
        self.quit(terminal, "2 decided.")

    def test_reason(self):
        """the line can be mended; an empty one, Escape and anything but y do nothing"""
        held = self.hold()
        terminal = self.start()
        terminal.wait_for(held.id)
        for keys in (["Enter"], ["Escape"], ["x", "BSpace", "Enter"], ["x", "Enter", "n"], ["x", "Enter", "Enter"]):
            with self.subTest(keys):
                terminal.keys("d")
                terminal.wait_for("Reason to delete it:")
                for key in keys:
                    terminal.keys(key)
                terminal.wait_for("nothing was done")
                terminal.keys("Up")
                daemon.wait_until(lambda: "nothing was done" not in terminal.text())
        self.assertOnHold(held)
        self.assertEqual(self.events(held.id), [])
        terminal.keys("d")
        terminal.wait_for("Reason")
        terminal.type("no")
        terminal.keys("C-u")
        terminal.type("Grüße \u6587")
        terminal.keys("BSpace")
        terminal.type("s" * 120)
        self.assertEqual(terminal.wait_for("s" * 50).count("Reason to delete it: "), 1)
        terminal.keys("Enter")
        terminal.wait_for("y: do it")
        terminal.keys("y")
        terminal.wait_for("%s: deleted" % held.id)
        self.assertEqual(self.events(held.id), [("root", "delete", "Grüße " + "s" * 120, None)])

    def test_rules(self):
        """the commands' own: who is not known does not approve, and the reason is not even asked for"""
        held = self.hold(sender="secret@me.example", people=review.WIDE[:2])
        terminal = self.start()
        terminal.wait_for(held.id)
        terminal.wait_for("[0 of 2 approvals]")
        terminal.keys("r")
        terminal.wait_for("needs 2 reviewers, and an approval of `root` does not count")
        self.assertOnHold(held)

    def test_two(self):
        """the first approves and goes on"""
        identities = daemon.write(os.path.join(self.guard.directory, "identities"), "root: root@me.example\n")
        self.configure(approvals=2, identities=identities)
        held = self.hold()
        terminal = self.start()
        terminal.wait_for(held.id)
        self.decide(terminal, "r", "fine")
        terminal.wait_for("%s: approved, 1 of 2" % held.id)
        terminal.keys("b")
        terminal.wait_for("Approvals     1 of 2: root")
        terminal.keys("r")
        terminal.wait_for("you have approved it already")
        self.assertOnHold(held)

    def test_others(self):
        """what another decided meanwhile is told, and not decided again"""
        held = self.hold()
        terminal = self.start()
        terminal.wait_for(held.id)
        self.done("delete", held.id, reason="quicker")
        terminal.keys("r")
        terminal.wait_for("%s: was deleted by root on" % held.id)
        self.assertEqual([event[1] for event in self.events(held.id)], ["delete"])

    # ---- terminals

    def test_hostile(self):
        """what stands in a message does not reach the terminal: it shows what it is"""
        held = self.hold(subject=HOSTILE)
        terminal = self.start()
        terminal.wait_for("1 of 1  %s" % held.id)
        text = terminal.wait_for("evil")
        self.assertIn(r"Hi\u001b[2J\u001b[1;1Hgone\u001b]0;owned\u0007\u009b31m\u202eevil", text.replace("\n" + " " * 14, ""))
        self.assertNotIn("owned", terminal.run("display-message", "-p", "#{pane_title}"))
        for key in "m", "a", "v", "V":
            terminal.keys(key)
            terminal.wait_for({"m": "Message-ID", "a": "c12@cust12.example", "v": "  Hello.", "V": "Subject: =?utf-8?q?Hi"}[key])
            terminal.wait_for("r release")
        self.assertRegex(terminal.text(), review.PLAIN)

    def test_small(self):
        """a terminal that is too small says so, and goes on when it has grown"""
        held = self.hold()
        terminal = self.start(columns=40, lines=10)
        terminal.wait_for("This terminal has 40x10;")
        terminal.wait_for("review needs 60x15.")
        terminal.keys("d")
        terminal.resize(60, 15)
        terminal.wait_for(held.id)
        self.assertNotIn("Reason", terminal.text())
        terminal.resize(59, 15)
        terminal.wait_for("This terminal has 59x15;")
        terminal.resize(132, 43)
        terminal.wait_for("1 of 1  %s" % held.id)
        terminal.keys("r")
        terminal.wait_for("Reason to release it:")
        terminal.type("half")
        terminal.resize(70, 20)
        daemon.wait_until(lambda: "Reason to release it: half" in terminal.rows()[17], what="the question in its new place")
        terminal.keys("Escape")
        terminal.resize(40, 10)
        terminal.wait_for("review needs 60x15.")
        self.quit(terminal, "0 decided.")

    def test_without_colours(self):
        """no colour on any terminal; a vt100 and NO_COLOR have the same picture"""
        self.hold()
        pictures = []
        for options in (dict(term="vt100"), dict(term="screen", environment=["NO_COLOR=1"]), dict(term="xterm-256color")):
            terminal = self.start(**options)
            terminal.wait_for("1 of 1")
            terminal.wait_for("scroll")  # which is drawn last
            pictures.append(terminal.text().split("\n", 1)[1])
            self.assertNotRegex(terminal.text(escapes=True), r"\x1b\[[0-9;]*[34][0-7]")
            terminal.keys("q")
            self.assertEqual(terminal.wait_end(), review.DONE)
        self.assertEqual(len(set(pictures)), 1)

    def test_no_terminal(self):
        """a program, and a terminal that nobody knows, get a sentence"""
        self.hold()
        self.refused(review.WRONG, "this needs a terminal; `list` and `show` do not", "review")
        for term in "dumb", "no-such-thing":
            with self.subTest(term):
                terminal = self.start(environment=["TERM=" + term])
                self.assertEqual(terminal.wait_end(), review.WRONG)
                with open(terminal.errors, encoding="utf-8") as errors:
                    self.assertIn("the terminal `%s` is not known" % term, errors.read())
        self.refused(review.USAGE, "review prints no JSON", "review", "--json")

    def test_signals(self):
        """whatever ends it, the terminal is as it was"""
        held = self.hold()
        for number in signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGABRT, signal.SIGSEGV:
            with self.subTest(number):
                terminal = self.start()
                terminal.wait_for(held.id)
                self.assertTrue(terminal.whole_screen())
                terminal.kill(number)
                self.assertEqual(terminal.wait_end(), 128 + number)
                self.assertTrue(terminal.is_restored(), terminal.text())
        terminal = self.start()
        terminal.wait_for(held.id)
        terminal.keys("d", "C-c")
        self.assertEqual(terminal.wait_end(), 128 + signal.SIGINT)
        self.assertTrue(terminal.is_restored())
        self.assertOnHold(held)


if __name__ == "__main__":
    review.main(180)
