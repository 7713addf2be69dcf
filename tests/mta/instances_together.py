"""Two instances of Postfix behind one daemon: each queue is listed, read and decided about, and none for the other."""

import os
import re
import shutil
import unittest

import daemon
import instances
import ledgerfile
import mta
import mtacase
import review
import tap

EXAMPLE = os.path.join(daemon.SOURCE, "packaging", "examples", "notice.txt")


class Together(instances.PairCase):
    CONFIG = {("review", "notice"): EXAMPLE}
    REVIEW = {"notice": EXAMPLE, "digest-to": "desk@me.example"}

    def ids(self):
        """What is on hold; a row whose message another test took away waits yet."""
        return sorted((one["instance"], one["id"], one["state"]) for one in self.done("list", "--json").json() if one["on_hold"])

    def test_listed(self):
        """list and show say in which it is; what show reads is read there"""
        held = self.hold_in_each()
        self.assertEqual(self.ids(), sorted((self.pair.name_of(one.mta), one.id, "held") for one in held))
        text = self.done("list").out
        self.assertRegex(text, r"(?m)^ID +AGE .* INSTANCE +SENDER ")
        for one in held:
            name = self.pair.name_of(one.mta)
            self.assertRegex(text, r"(?m)^%s .* %s +%s " % (one.id, name, mtacase.SENDER))
            self.assertEqual(self.shown(one)["instance"], name)
            self.assertRegex(self.done("show", one.id).out, r"\A%s  in %s  on hold for" % (one.id, name))
            self.assertIn("Subject: %s\n" % one.subject, self.done("show", "--raw", one.id).out.replace("\r\n", "\n"))
            self.assertIn(one.recipients[0], self.done("show", "--recipients", one.id).out)
            self.assertIn("Hello.", self.done("show", "--text", "%s/%s" % (name, one.id)).out)
            self.assertEqual(self.row(one.id)["instance"], name)
        self.refused(review.WRONG, "is not known", "show", "postfix/" + held[1].id)

    def test_terminal(self):
        """it fits a terminal of 80 columns"""
        self.hold_in_each()
        code, out = self.on_terminal("list")
        self.assertEqual(code, 0)
        self.assertEqual([line for line in out.decode().splitlines() if len(line) > 80], [])
        self.assertIn(b"postfix-out", out)

    def test_by_directories(self):
        """the same where [review] names them"""
        held = self.hold_in_each()
        self.configure(**{"postfix-config": "%s, %s" % (instances.ETC, instances.ETC_OUT)})
        self.assertEqual(self.ids(), sorted((self.pair.name_of(one.mta), one.id, "held") for one in held))

    def test_decided(self):
        """released, returned and deleted in each: where it is, once, and the other stays"""
        for one in self.pair:
            with self.subTest(self.pair.name_of(one)):
                stays = self.hold_in_each()
                released, returned, deleted = (self.hold_in(one) for _ in range(3))
                self.assertEqual(self.done("release", "--json", released.id, reason="ok").json(),
                                 [{"id": released.id, "instance": self.pair.name_of(one), "code": review.DONE, "said": "released"}])
                self.assertEqual({event["instance"] for event in self.done("log", "--json", released.id).json()}, {self.pair.name_of(one)})
                self.assertArrivedAt(released)
                self.done("return", returned.id, reason="ok")
                daemon.wait_until(lambda held=returned: [mail for mail in held.mta.deliveries() if mail.recipients == [mtacase.SENDER] and held.subject.replace(" ", ".") in mail.message],
                                  mta.LIMIT, "the return of %s" % returned.id)
                self.done("delete", deleted.id, reason="ok")
                for held, state in (released, "released"), (returned, "returned"), (deleted, "deleted"):
                    self.assertEqual(self.state(held.id), state)
                    daemon.wait_until(lambda held=held: held.id not in held.mta.held(), mta.LIMIT, "the end of %s" % held.id)
                self.assertStays(*stays)
                self.assertEqual(self.done("agent").out, "")
                self.tearDown()

    def test_all(self):
        """--all takes those of both, and one of each is delivered by its own"""
        held = self.hold_in_each() + self.hold_in_each()
        self.done("release", "--all", "--newer", "1d", "--yes", reason="ok")
        for one in held:
            self.assertArrivedAt(one)

    def test_old_message(self):
        """one that is old is queued anew, in its own instance"""
        for one in self.pair:
            held = self.hold_in(one)
            self.done("list")
            one.age(held.id, 6 * review.DAY)
            for column in "began", "judged", "arrival":
                ledgerfile.execute(self.guard.ledger_path, "UPDATE held SET %s = %s - ? WHERE queue_id = ?" % (column, column), 6 * review.DAY * 1000000, held.id)
            self.assertRegex(self.done("release", held.id, reason="ok").out, r"^%s: released, as \w+" % held.id)
            self.assertArrivedAt(held)

    # ---- one of them is away

    def test_stopped(self):
        """what is held in one that is stopped is listed, and can be decided; it is delivered when that starts"""
        held = self.hold_in_each()
        self.pair.out.halt()
        try:
            self.assertEqual(self.ids(), sorted((self.pair.name_of(one.mta), one.id, "held") for one in held))
            self.assertIn("it leaves when the queue manager looks next", self.done("release", held[1].id, reason="ok").out)
            self.done("release", held[0].id, reason="ok")
            self.assertArrivedAt(held[0])
        finally:
            self.pair.out.resume()
        self.assertArrivedAt(held[1])

    def test_broken(self):
        """a queue that cannot be read makes nothing `left`: it is said, and what is there stays as it was"""
        first, second = self.hold_in_each()
        pending = self.hold_in(self.pair.out)
        self.done("list")
        ledgerfile.execute(self.guard.ledger_path, "UPDATE held SET state = 'pending', arrival = 0, judged = judged - 3600000000 WHERE queue_id = ?", pending.id)
        main = os.path.join(instances.ETC_OUT, "main.cf")
        os.rename(main, main + ".away")
        try:
            answer = self.ask("list", "--json")
            self.assertEqual(answer.code, review.DONE)
            self.assertRegex(answer.err, r"^rcptguardq: warning: the queue of postfix-out cannot be read: postqueue: .*; what is held there is shown as it was known\n$")
            listed = {one["id"]: one for one in answer.json() if one["id"] in (first.id, second.id, pending.id)}
            self.assertEqual({each: (one["instance"], one["state"]) for each, one in listed.items()},
                             {first.id: ("postfix", "held"), second.id: ("postfix-out", "held"), pending.id: ("postfix-out", "pending")})
            self.assertRegex(self.ask("list").out, r"(?m)^%s .* queue cannot be read +postfix-out " % second.id)
            answer = self.ask("release", second.id, reason="ok")
            self.assertEqual((answer.code, answer.out), (review.PASSING, ""), answer)
            self.assertIn("%s: stays as it is: the queue that it is in cannot be read; try again\n" % second.id, answer.err)
            self.assertEqual(self.ask("release", first.id, reason="ok").code, review.DONE)
            self.assertArrivedAt(first)
            self.assertIn("cannot be read", self.ask("digest", "--print").out)
            self.assertIn(second.id, self.ask("digest", "--print").out)
            notices = self.ask("notify")
            self.assertRegex(notices.out, r"%s: waiting: the queue that it is in cannot be read" % second.id)
            found = [one for one in self.ask("doctor", "--json").json() if one["check"] == "queue"]
            self.assertRegex(found[0]["text"], "the queue of postfix-out cannot be read")
            self.assertEqual(found[0]["severity"], "error")
        finally:
            os.rename(main + ".away", main)
        self.assertEqual(self.ids(), sorted(("postfix-out", one.id, "held") for one in (second, pending)))
        self.assertEqual([event[1] for event in self.events(second.id)], [])
        self.done("release", second.id, pending.id, reason="ok")
        self.assertArrivedAt(second)

    def test_all_broken(self):
        """none can be read: that is an error, as with one queue"""
        held = self.hold_in(self.pair.out)
        self.done("list")
        self.configure(**{"postfix-config": "/nonexistent-a,/nonexistent-b"})
        self.refused(review.PASSING, "the queue of nonexistent-a cannot be read: .*; the queue of nonexistent-b cannot be read", "list")
        self.configure()
        self.assertEqual(self.state(held.id), "held")

    def test_same_queue(self):
        """two directories of one instance are no two instances"""
        copy = self.pair.first.copy_configuration()
        self.configure(**{"postfix-config": "%s,%s" % (instances.ETC, copy)})
        self.refused(review.WRONG, "are no two instances: both have the queue", "list")

    def test_restart(self):
        """one of them, and the daemon, is started anew: the same is listed"""
        held = self.hold_in_each()
        self.pair.first.halt()
        self.pair.first.resume()
        self.guard.reload()
        self.assertEqual(self.ids(), sorted((self.pair.name_of(one.mta), one.id, "held") for one in held))

    # ---- people

    def test_notices(self):
        """to the author by the instance of his message; the digest says of which each is"""
        ledgerfile.execute(self.guard.ledger_path, "DELETE FROM held")
        held = self.hold_in(self.pair.out)
        self.assertEqual(self.done("notify").out, "%s: sent: %s\n" % (held.id, mtacase.SENDER))
        daemon.wait_until(lambda: [mail for mail in self.pair.out.deliveries() if mail.recipients == [mtacase.SENDER] and held.id in mail.message], mta.LIMIT, "the notice")
        self.done("list")
        self.assertRegex(self.done("digest", "--print").out, r"(?m)^  %s .*\n.*\n    instance: postfix-out\n" % held.id)
        self.done("digest")
        daemon.wait_until(lambda: [mail for mail in self.pair.first.deliveries() if mail.recipients == ["desk@me.example"]], mta.LIMIT, "the digest")

    # ---- setup and doctor

    def wrong(self, check, *arguments):
        return [one for one in self.ask("doctor", "--json", *arguments).json() if one["check"] == check and one["severity"] != "ok"]

    def test_doctor_of_one(self):
        """another instance with the daemon's socket that nobody looks at"""
        self.configure(**{"postfix-config": instances.ETC})
        found, = self.wrong("instances")
        self.assertEqual((found["severity"], found["text"]), ("error", "/etc/postfix-out has rcptguardd's socket, and is not in postfix-config of [review]"))
        self.assertEqual(found["mend"], [{"place": "rcptguard.conf", "line": "postfix-config = postmulti"}])


class Setup(instances.PairCase):
    """setup for all of them, and what the daemon then hears."""

    def test_setup(self):
        dry = self.done("setup", "postfix", "--dry-run").out
        for one in self.pair:
            self.assertIn("+milter_macro_v = $mail_name $mail_version instance=%s\n" % self.pair.name_of(one), dry)
            self.assertIn(os.path.join(one.etc, "main.cf"), dry)
        self.done("setup", "postfix", "--yes")
        for one in self.pair:
            daemon.settle(os.path.join(one.etc, "main.cf"))
            one.reload()
        found = [one for one in self.ask("doctor", "--json").json() if one["check"] == "instances"]
        self.assertEqual([(one["severity"], one["text"]) for one in found],
                         [("ok", "/etc/postfix: the daemon hears that it is postfix"), ("ok", "/etc/postfix-out: the daemon hears that it is postfix-out")])
        # The daemon writes it down before anybody has looked at the queue.
        for way in "plain", "sendmail":
            for one in self.pair:
                held = self.hold_in(one, way=way)
                self.assertEqual((self.row(held.id)["state"], self.row(held.id)["instance"]), ("pending", self.pair.name_of(one)))
        self.assertEqual(len(self.ask("setup", "postfix", "--is-used").out.splitlines()), 4)
        self.done("setup", "postfix", "--undo", "--yes")
        for one in self.pair:
            with open(os.path.join(one.etc, "main.cf"), encoding="utf-8") as file:
                self.assertNotIn("instance=", file.read())


class SameId(instances.PairCase):
    """Both have a message with the same short queue id."""

    SHORT = True

    def pair_of_one_id(self):
        """(one in each, both with the same id): the second is given that of the first."""
        held = self.hold_in_each()
        self.done("list")
        first, second = held
        os.rename(second.mta._held_file(second.id), second.mta._held_file(first.id))
        ledgerfile.execute(self.guard.ledger_path, "UPDATE held SET queue_id = ? WHERE queue_id = ?", first.id, second.id)
        second.id = first.id
        return first, second

    def rows(self, queue_id):
        return {row["instance"]: row["state"] for row in ledgerfile.query(self.guard.ledger_path, "SELECT * FROM held WHERE queue_id = ?", queue_id)}

    def test_which(self):
        """an id of both is that of none: it takes its instance before it"""
        first, second = self.pair_of_one_id()
        both = "postfix/%s, postfix-out/%s" % (first.id, first.id)
        for name in "release", "return", "delete":
            answer = self.refused(review.WRONG, r"^%s: is on hold in several instances: say which, " % first.id, name, first.id, reason="ok")
            self.assertEqual(sorted(answer.err.strip().partition("say which, ")[2].split(", ")), sorted(both.split(", ")))
        self.refused(review.WRONG, "is on hold in several instances", "show", first.id)
        self.assertStays(first, second)
        listed = self.done("list").out
        for name in "postfix", "postfix-out":
            self.assertRegex(listed, r"(?m)^%s/%s .* %s +%s " % (name, first.id, name, mtacase.SENDER))
            self.assertIn("  %s/%s " % (name, first.id), self.ask("show", first.id[:4]).err)
            self.assertEqual(self.done("show", "--json", "%s/%s" % (name, first.id[:4])).json()[0]["instance"], name)
        self.assertIn(second.subject, self.done("show", "--raw", "postfix-out/" + second.id).out)
        self.assertIn(first.subject, self.done("show", "--raw", "postfix/" + first.id).out)
        self.done("release", "postfix-out/" + second.id, reason="ok")
        self.assertArrivedAt(second)
        self.assertStays(first)
        self.assertEqual(self.rows(first.id), {"postfix": "held", "postfix-out": "released"})
        self.done("release", first.id, reason="ok")
        self.assertArrivedAt(first)

    def test_nothing_tells(self):
        """where the daemon did not hear of which it is, the Message-ID decides"""
        first, second = self.pair_of_one_id()
        ledgerfile.execute(self.guard.ledger_path, "UPDATE held SET instance = NULL, state = 'pending', arrival = 0, size = 0 WHERE queue_id = ?", first.id)
        self.done("list")
        for held, name in (first, "postfix"), (second, "postfix-out"):
            row, = ledgerfile.query(self.guard.ledger_path, "SELECT * FROM held WHERE queue_id = ? AND instance = ?", held.id, name)
            self.assertEqual((row["state"], row["message_id"]), ("held", held.subject.replace(" ", ".") + "@" + mta.DOMAIN))
        self.done("delete", "postfix/" + first.id, reason="ok")
        self.assertStays(second)
        self.assertEqual(self.rows(first.id), {"postfix": "deleted", "postfix-out": "held"})

    def test_stranger(self):
        """one of the two is not in the ledger: it gets nobody else's row"""
        first, second = self.pair_of_one_id()
        ledgerfile.execute(self.guard.ledger_path, "DELETE FROM held WHERE queue_id = ? AND instance = 'postfix'", first.id)
        ledgerfile.execute(self.guard.ledger_path, "UPDATE held SET instance = NULL, state = 'pending', arrival = 0, size = 0 WHERE queue_id = ?", first.id)
        listed = {one["instance"]: one["state"] for one in self.done("list", "--json").json()}
        self.assertEqual(listed, {"postfix": "untracked", "postfix-out": "held"})
        self.done("release", "postfix-out/" + second.id, reason="ok")
        self.assertArrivedAt(second)
        self.assertStays(first)


if __name__ == "__main__":
    instances.main()
