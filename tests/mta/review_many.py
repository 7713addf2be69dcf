"""Many messages at once: the filters, the question with its groups and numbers, queue ids from standard input; and the first characters of one."""

import os
import re
import subprocess

import daemon
import ledgerfile
import mta
import mtacase
import policies
import review
import screen

# Subjects that say what only a state may say.
LOOKALIKE = "[2 of 2 approvals] Price list"


class Many(review.ReviewCase):
    def rows_of(self, *arguments):
        return set(self.listed(*arguments))

    def test_filters(self):
        """--subject, --party and --user, alone and with the others, in list and in the commands that decide"""
        party = self.hold(people=[*review.WIDE[1:], "a@big.example", "b@mail.big.example"], subject="Invitation (Z\u00fcrich)")
        login = self.hold("auth", subject="Price list 2027")
        plain = self.hold(subject="Re: PRICE LIST 2026")
        bare = self.hold()
        ledgerfile.execute(self.guard.ledger_path, "UPDATE held SET subject = NULL WHERE queue_id = ?", bare.id)
        names = {"party": party.id, "login": login.id, "plain": plain.id, "bare": bare.id}
        for arguments, wanted in ((("--subject", "price list"), "login plain"), (("--subject", "^price"), "login"), (("--subject", "202[67]$"), "login plain"),
                                  (("--subject", "invitation|2027"), "party login"), (("--subject", r"\(z.rich\)"), "party"), (("--subject", "."), "party login plain"),
                                  (("--subject", "nothing"), ""), (("--party", "big.example"), "party"), (("--party", "@BIG.example"), "party"),
                                  (("--party", "mail.big.example"), "party"), (("--party", "ig.example"), ""), (("--party", "cust1.example"), "login plain bare"),
                                  (("--party", "cust2.example"), "party login plain bare"), (("--user", "care"), "login"), (("--user", "CARE"), "login"), (("--user", "car"), ""),
                                  (("--user", "care", "--party", "cust1.example", "--subject", "list", "--rule", "wide-cc", "--newer", "1d", "--sender", mtacase.SENDER), "login"),
                                  (("--user", "care", "--subject", "2026"), "")):
            with self.subTest(arguments):
                ids = {names[name] for name in wanted.split()}
                self.assertEqual(self.rows_of(*arguments), ids)
                if not ids:
                    self.refused(review.WRONG, "no message on hold passes the filter", "delete", "--all", *arguments, reason="x", answer="yes\n")
                    continue
                dry = self.done("delete", "--all", *arguments, "--dry-run", reason="x")
                self.assertEqual({line.partition(":")[0] for line in dry.out.splitlines()}, ids)
        self.done("release", "--all", "--subject", "price", "--yes", reason="ok")
        self.assertEqual(self.rows_of(), {party.id, bare.id})
        self.assertEqual(self.rows_of("--state", "released", "--subject", "price", "--newer", "1d"), {login.id, plain.id})

    def test_wrong(self):
        """what cannot be looked for is an error, and never a filter that takes all"""
        self.hold(subject="a" * 60 + "c b")
        for command in ("list",), ("delete", "--all", "--yes", "--reason", "x"):
            for arguments, words in ((("--subject", "("), "--subject: "), (("--subject", "a)(b"), "--subject: "), (("--subject", "(*UTF)a"), "--subject: "),
                                     (("--party", ""), "--party: expected a domain"), (("--party", "ann@x.example"), "--party: expected a domain")):
                with self.subTest(arguments):
                    self.refused(review.USAGE, re.escape(words), *command, *arguments)
            self.refused(review.WRONG, "--subject: the regular expression needs too many steps", *command, "--subject", "(a+)+b")
        self.assertEqual(len(self.rows_of()), 1)

    def question(self, *arguments, answer):
        return self.ask("release", "--all", "--sender", "@me.example", *arguments, reason="x", answer=answer)

    def test_groups(self):
        """the question has the messages by rule and subject, the largest group first, with their counts"""
        held = [self.hold(subject=subject) for subject in ("Price list", "Invitation", "Price list", LOOKALIKE)]
        clinic = self.hold(sender="clinic@me.example", people=review.WIDE[:3], subject="Price list")
        result = self.question(answer="no\n")
        self.assertEqual(result.code, review.WRONG)
        lines = [re.sub(r" +\d+ (?:s|min)  ", " ", line) for line in result.err.splitlines()]
        self.assertEqual(lines[0], "2 messages, rule wide-cc: Price list")
        self.assertEqual([re.sub(r" +", " ", line) for line in lines[1:3]], [" 1 %s care@me.example" % held[2].id, " 2 %s care@me.example" % held[0].id])
        self.assertEqual({line for line in lines[3:9:2]}, {"1 message, rule sensitive: Price list", "1 message, rule wide-cc: Invitation", "1 message, rule wide-cc: " + LOOKALIKE})
        self.assertIn("clinic@me.example", result.err)
        self.assertRegex(lines[-1], r"^Release 5 messages\? Type yes, list to see each, or numbers such as 1,4-6: ")
        self.assertOnHold(*held, clinic)

    def test_numbers(self):
        """a number is the message beside which it was printed; what is no number of the list decides nothing"""
        held = [self.hold(subject="Number %d" % n) for n in range(6)]
        shown = dict(re.findall(r"(?m)^ +(\d+)  (\S+)", self.question(answer="no\n").err))
        self.assertEqual(sorted(shown, key=int), [str(n) for n in range(1, 7)])
        for answer in "7", "0", "1-7", "3-1", "1,x", "-1", "", " ", "1 2 y", "9" * 2000, "y", "YES", "1-3\nno", "1-3\n4\nyes":
            self.assertEqual(self.question(answer=answer + "\n").code, review.WRONG, answer)
        self.assertEqual(self.question(answer="2").code, review.WRONG)
        self.assertOnHold(*held)
        result = self.question(answer="1, 3-5\n3,5\nyes\n")
        self.assertEqual(result.code, review.DONE)
        self.assertIn("Release 4 messages? ", result.err)
        self.assertIn("Release 2 messages? ", result.err)
        self.assertEqual(self.rows_of(), {shown[number] for number in ("1", "2", "4", "6")})

    def test_pages(self):
        """what does not fit a terminal is shown by its groups, and page by page when that is asked for; no other program runs"""
        for n in range(14):
            self.hold(subject="Price list" if n % 2 else "Invitation \x1b[2J".encode("unicode_escape").decode())
        command = self.command("release", "--all", "--newer", "1d", reason="x")
        with screen.Screen(["sh", "-c", 'exec "$@" 2>&1', "sh", *command], lines=12, environment=["PAGER=touch /sprung", "LESSOPEN=|touch /sprung"]) as terminal:
            text = terminal.wait_for("numbers such as 1,4-6:")
            self.assertIn("7 messages, rule wide-cc: Price list", text)
            self.assertNotIn("  1  ", text)
            terminal.type("list")
            terminal.keys("Enter")
            terminal.wait_for("-- 9 of 16 lines.  Enter: more, q: no more --")
            terminal.keys("Enter")
            terminal.wait_for("  14  ")
            terminal.type("1-2")
            terminal.keys("Enter")
            terminal.wait_for("Release 2 messages?")
            terminal.type("list")
            terminal.keys("Enter")
            terminal.keys("Enter")
            self.assertEqual(terminal.wait_end(), review.WRONG)
        self.assertEqual(len(self.rows_of()), 14)
        self.assertFalse(os.path.exists("/sprung"))

    # ---- standard input

    def test_input(self):
        """queue ids, or the lines that list has printed; what cannot be decided is told, the others are done"""
        held = [self.hold(subject="Number %d" % n) for n in range(4)]
        gone = self.hold()
        self.done("delete", gone.id, reason="x")
        listed = self.done("list").out.splitlines()
        chosen = [line for line in listed if "Number 1" in line or "Number 3" in line or line.startswith("ID ")]
        self.assertEqual(len(chosen), 3)
        result = self.done("release", "-", "--yes", reason="ok", answer="\n".join(chosen) + "\n\n")
        self.assertEqual(sorted(result.out.splitlines()), sorted("%s: released" % held[n].id for n in (1, 3)))
        result = self.ask("release", "--yes", "-", reason="ok", answer="%s\n<%s>\n%s\n  indented\nNoSuch\n" % (held[0].id, held[0].id, gone.id))
        self.assertEqual((result.code, result.out), (review.GONE, "%s: released\n" % held[0].id), result)
        self.assertIn("%s: was deleted by root" % gone.id, result.err)
        self.assertIn("NoSuch: is not known", result.err)
        self.assertEqual(self.rows_of(), {held[2].id})
        self.refused(review.WRONG, "standard input has no queue id", "release", "--yes", "-", reason="ok", answer="\n")
        self.refused(review.USAGE, "no other ids are allowed", "release", "--yes", "-", "4XyZ", reason="ok")

    def test_input_asks(self):
        """the answer comes from the terminal: what is piped in cannot agree; without a terminal nothing is done"""
        held = [self.hold() for _ in range(2)]
        ids = "".join(one.id + "\n" for one in held)
        self.refused(review.WRONG, "there is no terminal to ask on: give --yes", "release", "-", reason="ok", answer=ids + "yes\n", start_new_session=True)
        self.assertOnHold(*held)
        folder = daemon.temporary_directory()
        path = daemon.write(os.path.join(folder, "ids"), ids + "yes\n")
        command = self.command("release", "-", reason="ok")
        with screen.Screen(["sh", "-c", 'exec "$@" 2>&1 <%s' % path, "sh", *command]) as terminal:
            terminal.wait_for("Release 2 messages?")
            self.assertOnHold(*held)
            terminal.type("yes")
            terminal.keys("Enter")
            self.assertEqual(terminal.wait_end(), review.WRONG)  # `yes` is no queue id
        for one in held:
            self.assertArrived(one)

    # ---- the first characters

    def test_beginning(self):
        """show and log take the first characters of a queue id; several candidates are named, and a decision takes the whole id"""
        held = self.hold()
        self.done("list")
        begin = held.id[:-1]
        self.assertTrue(self.done("show", begin).out.startswith(held.id + "  on hold"))
        self.assertTrue(self.done("show", "--text", begin).out.startswith(held.id))
        self.refused(review.WRONG, r"%s: is not known; a decision takes whole queue ids: %s$" % (begin, held.id), "release", begin, reason="x")
        self.assertOnHold(held)
        other = self.hold()
        common = os.path.commonprefix([held.id, other.id])
        self.assertGreaterEqual(len(common), 3)
        for command in "show", "log":
            result = self.refused(review.WRONG, r"%s: \d+ queue ids begin with it" % re.escape(common), command, common)
            for one in held, other:
                self.assertRegex(result.err, r"(?m)^  %s +\d+ (?:s|min)  held +care@me\.example$" % one.id)
            self.assertNotIn("cust1", result.err)
        for short in held.id[:2], "No" + held.id:
            self.refused(review.WRONG, "is not known", "show", short)
        self.done("release", held.id, reason="ok")
        self.assertTrue(self.done("show", begin).out.startswith(held.id + "  judged"))
        self.assertIn(held.id, self.done("log", begin).out)

    def test_exact(self):
        """a whole queue id is itself, though another one begins so"""
        held, other = self.hold(), self.hold()
        self.done("delete", other.id, reason="x")
        ledgerfile.execute(self.guard.ledger_path, "UPDATE held SET queue_id = ? WHERE queue_id = ?", held.id[:-1], other.id)
        text = self.done("show", held.id[:-1]).out
        self.assertTrue(text.startswith(held.id[:-1] + "  judged"), text)

    # ---- texts

    def test_state(self):
        """a subject that looks like a state is in the subject's place, and the state in its own"""
        self.configure(approvals=2)
        self.hold(subject=LOOKALIKE)
        head, line = self.done("list").out.splitlines()
        column = head.index("STATE")
        self.assertEqual(line[column:column + 18], "0 of 2 approvals  ")
        self.assertEqual(line[head.index("SUBJECT"):], LOOKALIKE)
        self.assertEqual(line.count("approvals"), 2)
        for width in 80, 130, 160:
            code, output = self.on_terminal("list", columns=width)
            text = output.decode().replace("\r\n", "\n")
            self.assertEqual((code, [len(each) <= width for each in text.splitlines()].count(False)), (0, 0))
            self.assertEqual(re.findall(r"\d of 2 approvals", text), ["0 of 2 approvals", "2 of 2 approvals"])
        self.configure()
        self.assertNotIn("STATE", self.done("list").out.splitlines()[0])

    def test_one(self):
        """one is not several"""
        one = self.hold(people=["a%d@acme.example" % n for n in range(45)])
        text = self.done("show", one.id).out
        self.assertIn("45 outside of 1 party in 1 domain, 0 inside", text)
        text = text.replace("45 addresses, 1 parties", "")  # the rule's own words
        self.assertNotRegex(text + self.done("digest", "--print").out, r"\b1 (parties|domains|addresses)\b")
        self.assertIn("45 addresses, 1 party\n", self.done("digest", "--print").out)


if __name__ == "__main__":
    review.main(180)
