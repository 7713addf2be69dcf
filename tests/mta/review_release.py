"""Reviewers release, return and delete what is on hold: what becomes of the message, of the record, and who is told."""

import os
import re
import signal
import time

import daemon
import mta
import mtacase
import policies
import review
import sendmail
import tap

SOON = 60 * tap.SLOWNESS  # seconds: at once, and not with the next run of the queue


class ReleaseCase(review.ReviewCase):
    # Everything is judged here, our own notices too.
    POLICY = policies.policy(outbound='outbound when local or authenticated or client in "127.0.0.0/8"')
    EXTRA = {"postfix": "header_checks = regexp:{{/^X-Hold:/ HOLD}}\n",
             "sendmail": "LOCAL_RULESETS\nHX-Hold: $>CheckHold\nSCheckHold\nR$*\t$#error $@ quarantine $: by somebody else\n"}

    def mails_to(self, address):
        return [delivery for delivery in self.mta.deliveries() if delivery.recipients == [address]]


class Decisions(ReleaseCase):
    """A released message leaves at once, once, and is not judged again; one that is returned reaches its sender with words that help."""

    # ---- release

    def test_release(self):
        """by each way in: delivered at once, one copy each, evaluated once"""
        for way in self.mta.WAYS:
            with self.subTest(way):
                held = self.hold(way)
                start = time.monotonic()
                result = self.done("release", held.id, reason="agreed with care")
                self.assertArrived(held)
                self.assertLess(time.monotonic() - start, SOON)
                self.assertEqual(result.out, "%s: released\n" % held.id)
                self.mta.wait_gone(held.id)
                self.assertEqual(self.state(held.id), "released")
                self.assertEqual(self.events(held.id), [("root", "release", "agreed with care", None)])
                self.assertLogged(held.id, r'release by=root uid=0 requeued=- rule=wide-cc sender=care@me\.example msgid=\S+@me\.example reason="agreed with care"')
                self.guard.verdict(held.id)
                self.assertEqual(len(self.guard.verdicts(held.id)), 1)
                self.assertEqual(len(self.mta.recipients(held.subject)), len(held.recipients))

    def test_several(self):
        """several ids at once, of which some cannot be"""
        held = [self.hold() for _ in range(3)]
        result = self.ask("release", held[0].id, "9NoSuchMessage", held[2].id, reason="ok")
        self.assertEqual((result.code, result.out), (review.WRONG, "%s: released\n%s: released\n" % (held[0].id, held[2].id)))
        self.assertEqual(result.err, "9NoSuchMessage: is not known: neither on hold nor in the ledger\n")
        for one in held[0], held[2]:
            self.assertArrived(one)
        self.assertOnHold(held[1])

    def test_others(self):
        """each trouble has its words and its exit code"""
        held = self.hold()
        self.done("release", held.id, reason="ok")
        self.assertArrived(held)
        self.refused(review.GONE, r"%s: was released by root on \d{4}-" % held.id, "release", held.id, reason="again")
        self.refused(review.GONE, r"was released by root", "delete", held.id, reason="again")

        by_hand = self.hold()
        self.done("list")
        self.mta.release(by_hand.id)
        self.refused(review.GONE, r"is on hold no longer: by hand it was released, requeued or deleted, which cannot be told", "release", by_hand.id, reason="ok")
        self.assertEqual(self.state(by_hand.id), "left")
        self.assertEqual(self.events(by_hand.id), [(None, "left", None, None)])

        for name in "ALL", "../etc/passwd", "A" * 300:
            self.refused(review.WRONG, "is not known", "release", "--reason=x", "--", name)

    def test_command_line(self):
        for arguments, words in ((("release", "4XyZ12345"), "--reason is missing"), (("release", "--reason", "", "4XyZ12345"), "--reason is missing"),
                                 (("release", "--reason", " \t\n", "4XyZ12345"), "--reason is missing"),
                                 (("release", "--reason", "x"), "expected queue ids, or --all"),
                                 (("delete", "--reason", "x", "--all"), "--all wants --sender"),
                                 (("delete", "--reason", "x", "--all", "--older", "1d", "4XyZ12345"), "do not go together"),
                                 (("delete", "--reason", "x", "--older", "1d", "4XyZ12345"), "a filter goes with --all"),
                                 (("return", "--reason", "x", "--all", "--older", "1y"), "--older: expected a time"),
                                 (("relase", "4XyZ12345"), "did you mean `release`"), (("list", "4XyZ12345"), "unexpected argument"),
                                 (("list", "--state", "free"), "--state: expected pending, .*, left, untracked, not `free`"),
                                 (("show",), "expected one queue id"), (("log", "a", "b"), "expected one queue id"),
                                 (("log", "--newer", "1d", "--since", "2026-11-23"), "--newer and --since do not go together"),
                                 *((("log", "--since", since), "--since: expected a date such as 2026-11-23, or a time such as 2026-11-23T10:00:00Z, not `%s`" % since)
                                   for since in ("yesterday", "2026-02-30", "2026-11-23T10:00:00", "23.11.2026", "1d"))):
            with self.subTest(arguments):
                self.refused(review.USAGE, words, *arguments)

    def test_all(self):
        """--all takes what passes the filter, after a question, and nothing else"""
        held = [self.hold() for _ in range(3)]
        other = self.hold(sender="boss@me.example")
        untracked = self.untracked()
        result = self.refused(review.WRONG, "nothing was done", "release", "--all", "--sender", mtacase.SENDER, reason="x", answer="no\n")
        self.assertIn("Release 3 messages? Type yes, ", result.err)
        self.refused(review.WRONG, "nothing was done", "release", "--all", "--sender", mtacase.SENDER, reason="x", answer="")
        self.refused(review.WRONG, "no message on hold passes the filter", "release", "--all", "--older", "1d", reason="x", answer="yes\n")
        self.assertOnHold(*held, other)
        dry = self.done("release", "--all", "--newer", "1d", "--dry-run", reason="x")
        self.assertEqual(sorted(dry.out.splitlines()), sorted("%s: would be released" % one.id for one in held + [other]))
        self.assertOnHold(*held, other)
        result = self.ask("release", "--all", "--sender", "@ME.example", "--rule", "wide-cc", reason="x", answer="yes\n")
        self.assertEqual(result.code, review.DONE)
        for one in held + [other]:
            self.assertArrived(one)
        self.assertIn(untracked, self.mta.held())
        self.assertEqual(self.listed()[untracked]["state"], "untracked")
        self.refused(review.WRONG, "is on hold, but not by rcptguard", "release", untracked, reason="x")

    def untracked(self):
        """Something else puts a message on hold."""
        reply = self.mta.send("plain", mtacase.SENDER, ["one@x.example"], mta.message(self.mta.new_subject(), mtacase.SENDER, ["one@x.example"], headers=[("X-Hold", "yes")]))
        daemon.wait_until(lambda: reply.queue_id in self.mta.held(), mta.LIMIT, "the hold")
        return reply.queue_id


    # ---- a message that was held for longer than the MTA tries is delivered all the same, and not returned

    def test_old(self):
        """a first delivery that fails is no bounce: it is tried again"""
        held = self.hold_old(6)
        self.mta.stop_sink()
        try:
            result = self.done("release", held.id, reason="ok")
            there = self.row(held.id)["requeued"] or held.id
            self.assertRegex(result.out, r"^%s: released(, as %s)?\n$" % (held.id, there))
            self.mta.wait_for_line(r": %s: to=<.*stat(us)?=[Dd]eferred" % there)
            daemon.wait_until(lambda: [entry["queue_name"] for entry in self.mta.queue() if entry["queue_id"] == there] == [self.mta.DEFERRED], mta.LIMIT, "its deferral")
        finally:
            self.mta.start_sink()
        self.mta.flush(there)
        self.assertArrived(held)
        self.mta.wait_gone(there)
        self.assertEqual(self.mails_to(mtacase.SENDER), [])
        self.assertEqual(sum(len(self.guard.verdicts(queue_id)) for queue_id in {held.id, there}), 1)

    def test_at_once(self):
        """an old one leaves at once too"""
        held = self.hold_old(3)
        start = time.monotonic()
        self.done("release", held.id, reason="ok")
        self.assertArrived(held)
        self.assertLess(time.monotonic() - start, SOON)

    def test_downtime(self):
        """with the MTA stopped a release is done, and the message leaves when it runs again, or at once if nothing else is needed"""
        held = self.hold()
        self.mta.halt()
        try:
            result = self.done("release", held.id, reason="ok")
            self.assertRegex(result.out, self.mta.RELEASED_WHILE_HALTED)
        finally:
            self.mta.resume()
        self.assertArrived(held)

    # ---- return and delete

    def test_return(self):
        sender = "gina@me.example"
        held = self.hold(sender=sender)
        self.done("return", held.id, reason="please use Bcc")
        daemon.wait_until(lambda: len(self.mails_to(sender)) >= 2, mta.LIMIT, "the notice and the bounce")
        mails = self.mails_to(sender)
        notice, = [mail for mail in mails if self.mta.RETURN_WORDS not in " ".join(mail.message.split())]
        bounce, = [mail for mail in mails if mail is not notice]
        self.assertIn(held.subject, bounce.message)
        self.assertEqual(notice.sender, "")
        for words in ("Subject: Not sent: %s\n" % held.subject, "Auto-Submitted: auto-replied\n", "To: <%s>\n" % sender, "From: Mail review <postmaster@%s>\n" % self.mta.ORIGIN,
                      "wide Cc: 12 addresses, 12 parties", "please use Bcc", "12 addresses outside", "put your own address in To", "Bcc (blind copy)",
                      "In-Reply-To: <%s@me.example>\n" % held.subject.replace(" ", ".")):
            self.assertIn(words, notice.header + "\n" + notice.message)
        for recipient in held.recipients:
            self.assertNotIn(recipient, notice.message)
        self.assertEqual(self.mta.recipients(held.subject), [])
        self.assertEqual(self.state(held.id), "returned")
        self.assertEqual(self.events(held.id), [("root", "return", "please use Bcc", None)])
        self.assertLogged(held.id, r'return by=root .* sender=%s .* reason="please use Bcc"' % sender)
        # The notice went first, and nothing held it.
        lines = self.mta.lines()
        self.assertLess(next(i for i, line in enumerate(lines) if re.search(self.mta.SUBMITTED, line)),
                        next(i for i, line in enumerate(lines) if re.search(self.mta.RETURNED % held.id, line)))
        self.assertEqual(self.mta.held(), [])

    def test_null_sender(self):
        """without a sender there is nobody to return it to"""
        held = self.hold("auth", sender="")
        self.refused(review.WRONG, "has no sender to return it to", "return", held.id, reason="x")
        self.assertOnHold(held)
        self.done("delete", held.id, reason="x")

    def test_delete(self):
        sender = "hans@me.example"
        held = self.hold(sender=sender)
        self.done("delete", held.id, reason="phishing")
        self.assertNotIn(held.id, [entry["queue_id"] for entry in self.mta.queue()])
        self.assertLogged(held.id, r'delete by=root .* reason="phishing"')
        self.assertEqual((self.state(held.id), self.events(held.id)), ("deleted", [("root", "delete", "phishing", None)]))
        follow = self.hold(sender=sender)  # what the MTA would have sent of the first one is there by now
        self.done("release", follow.id, reason="ok")
        self.assertArrived(follow)
        self.assertEqual((self.mta.recipients(held.subject), self.mails_to(sender)), ([], []))

    def test_failing_commands(self):
        """a command that fails leaves the message on hold, and is an exit code of its own"""
        held = self.hold(sender="ida@me.example")
        keys, words = self.mta.broken_keys()
        self.configure(**keys)
        for name in "release", "return", "delete", "list":
            self.refused(review.PASSING, words, name, *([held.id] if name != "list" else []), **({"reason": "x"} if name != "list" else {}))
        # Between the claim and the queue: the notice cannot be handed in.
        self.configure(**self.mta.keys_without_submission())
        self.refused(review.PASSING, "%s: stays on hold: sendmail: .*not allowed" % held.id, "return", held.id, reason="x")
        self.assertOnHold(held)
        self.assertEqual(self.state(held.id), "held")
        self.assertEqual([event[:2] for event in self.events(held.id)], [("root", "abandon")])
        self.configure()
        self.done("release", held.id, reason="ok")
        self.assertArrived(held)


class Requeued(ReleaseCase):
    """What helps an old message on Postfix: a queue file of its own."""

    MTAS = ("postfix",)

    def test_in_place_it_would_bounce(self):
        """what is measured here of Postfix is what the rest is for"""
        held = self.hold_old(6)
        self.mta.stop_sink()
        try:
            self.mta.release(held.id)
            self.mta.wait_for_line(r": %s: from=<.*>, status=expired, returned to sender" % held.id)
        finally:
            self.mta.start_sink()

    def test_requeued(self):
        """a first delivery that fails is no bounce; the new id is followed"""
        held = self.hold_old(6)
        self.mta.stop_sink()
        try:
            result = self.done("release", held.id, reason="ok")
            new = re.fullmatch(r"%s: released, as ([0-9A-Za-z]+)\n" % held.id, result.out).group(1)
            self.assertNotEqual(new, held.id)
            self.mta.wait_for_line(r": %s: to=<.*status=deferred" % new)
            daemon.wait_until(lambda: ("deferred", new) in [(entry["queue_name"], entry["queue_id"]) for entry in self.mta.queue()], mta.LIMIT, "the wait for another try")
        finally:
            self.mta.start_sink()
        self.mta.flush(new)
        self.assertArrived(held)
        self.mta.wait_gone(new)
        self.assertEqual(self.row(held.id)["requeued"], new)
        self.assertEqual(self.events(held.id), [("root", "release", "ok", "as %s" % new)])
        self.assertLogged(held.id, r'release by=root uid=0 requeued=%s rule=wide-cc .* reason="ok"' % new)
        self.assertIn("released by root", self.done("show", new).out)
        self.assertIn("New queue id  %s" % new, self.done("show", held.id).out)
        self.refused(review.GONE, "was released by root on .*, as %s" % new, "release", new, reason="again")
        self.assertEqual(len(self.guard.verdicts(held.id)) + len(self.guard.verdicts(new)), 1)

    def test_young(self):
        """one that is not old keeps its id"""
        held = self.hold_old(2)
        self.assertEqual(self.done("release", held.id, reason="ok").out, "%s: released\n" % held.id)
        self.assertArrived(held)

    def test_without_log(self):
        """where Postfix's log is not to be read, the queue tells the new id, as long as the message is there"""
        held = self.hold_old(6)
        other = self.mta.copy_configuration("maillog_file =")
        self.configure(postfix_config=other)
        self.mta.stop_sink()
        try:
            result = self.done("release", held.id, reason="ok")
            new = re.fullmatch(r"%s: released, as ([0-9A-Za-z]+)\n" % held.id, result.out).group(1)
            daemon.wait_until(lambda: ("deferred", new) in [(entry["queue_name"], entry["queue_id"]) for entry in self.mta.queue()], mta.LIMIT, "the wait for another try")
        finally:
            self.mta.start_sink()
        self.mta.flush(new)
        self.assertArrived(held)

class Halfway(ReleaseCase):
    """A release on Sendmail is two steps, out of quarantine and a new age; whoever does it is killed between them."""

    MTAS = ("sendmail",)

    def release_until(self, held):
        """Kills rcptguardq when sendmail -Q has done its work."""
        path = self.mta._path("deadly")
        daemon.write(path, '#!/bin/sh\n%s "$@"\ncode=$?\ncase " $* " in *" -Q "*) kill -9 $PPID;; esac\nexit $code\n' % sendmail.program())
        os.chmod(path, 0o755)
        self.configure(sendmail_command=path)
        self.assertEqual(self.ask("release", held.id, reason="ok").code, -signal.SIGKILL)
        self.configure()

    def age(self, queue_id):
        with open(self.mta._path("queue", "qf" + queue_id), encoding="utf-8", errors="surrogateescape") as file:
            return time.time() - int(re.search(r"(?m)^T(\d+)$", file.read()).group(1))

    def test_old(self):
        """it is neither held nor lost, and the next look gives it its new age: it is tried again, and not returned"""
        held = self.hold_old(6)
        self.mta.stop_sink()
        try:
            self.release_until(held)
            self.assertEqual((self.mta.held(), self.state(held.id)), ([], "releasing"))
            self.assertGreater(self.age(held.id), 5 * review.DAY)
            self.assertEqual(self.listed(), {})
            self.assertEqual(self.state(held.id), "released")
            self.assertLess(self.age(held.id), 60 * tap.SLOWNESS)
            self.mta.wait_for_line(r": %s: to=<.*stat=Deferred" % held.id)
        finally:
            self.mta.start_sink()
        self.mta.flush(held.id)
        self.assertArrived(held)
        self.mta.wait_gone(held.id)
        self.assertEqual(self.mails_to(mtacase.SENDER), [])

    def test_delivered_meanwhile(self):
        """a queue run was quicker: it has left once, and is released"""
        held = self.hold_old(6)
        self.release_until(held)
        self.mta.flush(held.id)
        self.assertArrived(held)
        self.mta.wait_gone(held.id)
        self.assertEqual(self.listed(), {})
        self.assertEqual(self.state(held.id), "released")
        self.assertArrived(held)


class Load(review.ReviewCase):
    """Sendmail leaves its queue alone when the load is above QueueLA; a decision does not wait for that."""

    MTAS = ("sendmail",)
    EXTRA = {"sendmail": "define(`confQUEUE_LA', `0')dnl\ndefine(`confQUEUE_FACTOR', `1')dnl\n"}

    def test_decisions(self):
        released, returned = self.hold(), self.hold(sender="load@me.example")
        self.done("release", released.id, reason="asked the sender")
        self.assertArrived(released)
        self.done("return", returned.id, reason="please use Bcc")
        self.assertNotIn(returned.id, self.mta.held())
        self.assertEqual(self.state(returned.id), "returned")


if __name__ == "__main__":
    review.main(240)
