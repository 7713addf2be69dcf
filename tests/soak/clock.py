"""The clock is set forth and back, by seconds and by a year: `until`, retention, digest, ages and matching are as documented."""

import time

import accounting
import daemon
import fakeclock
import ledgerfile
import policies
import review
import soak

DAY, YEAR = 86400, 366 * 86400
STEPS = soak.pick((-2, 3600), (-YEAR, -DAY, -3600, -60, -2, -1, 1, 2, 60, 3600, DAY, YEAR))
WIDE = policies.people(12)


def date(seconds):
    return time.strftime("%Y-%m-%d", time.gmtime(time.time() + seconds))


class Clock(fakeclock.FakeClock, accounting.AccountingCase):
    """The daemon's clock and the reviewers' are `set`; the MTA's is the machine's."""

    MTAS = soak.MTAS
    # Held by a rule that ends in a month; by another one afterwards.
    POLICY = policies.policy(rules=policies.rule("this-month", "parties(external) >= 10", 'quarantine "now"', until=date(30 * DAY))
                             + policies.rule("later", "parties(external) >= 10", 'quarantine "later"'))
    CONFIG = {("ledger", "keep"): "30d"}

    def one(self, held, *options):
        return next(each for each in self.done("list", "--json", *options).json() if each["id"] == held.id)

    def test_stepped_within_a_message(self):
        """between its arrival and its verdict: it is held, known, and can be released"""
        # Sendmail returns at once what is older than Timeout.queuereturn when it comes, quarantined or not.
        steps = [step for step in STEPS if self.MTA == "postfix" or step < 5 * DAY]
        for step in steps:
            with self.subTest("%d s" % step):
                self.set(0)
                subject, text = self.message(cc=WIDE)
                with self.mta.connect("plain") as session:
                    self.assertEqual(session.mail(review.mtacase.SENDER)[0], 250)
                    for address in WIDE:
                        self.assertEqual(session.rcpt(address)[0], 250)
                    self.set(step)
                    code, said = session.data(text.encode().replace(b"\n", b"\r\n"))
                    self.assertEqual(code, 250)
                held = review.Held(review.mta.Reply("data", code, said).queue_id, subject, WIDE)
                self.set(0)
                daemon.wait_until(lambda: held.id in self.mta.held(), review.mta.LIMIT, "the hold")
                found = self.one(held)
                self.assertEqual((found["state"], found["on_hold"]), ("held", True), found)
                self.done("release", held.id, reason="x")
                self.assertDeliveredOnce([held])
        soak.measured("%s: the clock set by %s seconds within a message: each was held, known and released", self.MTA, ", ".join("%+d" % step for step in steps))

    def test_set_while_it_is_held(self):
        """it stays on hold, its age is never less than nothing, and it can be released at any time"""
        for step in STEPS:
            with self.subTest("%d s" % step):
                self.set(0)
                held = self.hold()
                self.done("list")
                self.set(step)
                found = self.one(held)
                self.assertEqual(found["state"], "held", found)
                self.assertGreaterEqual(found.get("age", 0), 0)
                self.assertNotIn("-", self.done("list").out.split(held.id, 1)[1].split()[0])
                self.done("show", held.id)
                self.assertIn(self.ask("digest", "--if-configured").code, (review.DONE, review.GONE))
                self.assertOnHold(held)
                self.done("release", held.id, reason="x")
                self.assertDeliveredOnce([held])
                self.set(0)
        self.assertAgree()

    def test_until(self):
        """a rule ends when the clock passes its date, without a reload, and is in force again before it"""
        for step, rule in ((0, "this-month"), (29 * DAY, "this-month"), (32 * DAY, "later"), (YEAR, "later"), (0, "this-month")):
            with self.subTest("%+d d" % (step // DAY)):
                self.set(step)
                held = self.hold()
                self.assertEqual(self.guard.verdict(held.id).rule, rule)
                self.mta.drop(held.id)
        self.set(0)

    def test_retention(self):
        """a year ahead, what is closed goes and what waits stays; back again, nothing more is lost"""
        closed, waits = self.hold(), self.hold()
        self.done("release", closed.id, reason="x")
        self.assertDeliveredOnce([closed])
        self.set(29 * DAY)
        self.guard.reload()
        self.assertEqual(len(ledgerfile.rows(self.guard.ledger_path, closed.id)), 1)
        self.set(YEAR)
        mark = self.guard.mark()
        self.guard.reload()  # tidies, as the hour does
        self.guard.wait_for_line("ledger: removed ", mark=mark)
        self.assertEqual([len(ledgerfile.rows(self.guard.ledger_path, one.id)) for one in (closed, waits)], [0, 1])
        self.set(0)
        self.guard.reload()
        self.assertEqual(self.one(waits)["state"], "held")
        self.done("release", waits.id, reason="x")
        self.assertDeliveredOnce([waits])


if __name__ == "__main__":
    review.main(soak.LIMIT)
