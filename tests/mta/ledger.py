"""What lies in the MTA's hold queue has its row in the ledger; what has none was not taken."""

import contextlib

import daemon
import ledgerfile
import mta
import mtacase
import policies

WIDE = policies.people(12)


class Held(mtacase.MtaCase):
    def test_rows(self):
        """By each way in: the row is there, with what is needed to find the message in the queue, and only that row."""
        for way in self.mta.WAYS:
            with self.subTest(way):
                line = self.check_held(way, WIDE, cc=WIDE, rule="wide-cc", visible=12)
                row = ledgerfile.row(self.guard.ledger_path, line.queue_id)
                self.assertEqual((row["state"], row["mta"], row["sender"], row["message_id"], row["rule"]),
                                 ("pending", self.MTA, mtacase.SENDER, line.msgid, "wide-cc"))
                self.assertLessEqual(row["began"], row["judged"])
                self.check_arrival(way, row)
        self.assertEqual(sorted(ledgerfile.queue_ids(self.guard.ledger_path)), sorted(self.mta.held()))

    def check_arrival(self, way, row):
        """Postfix's arrival time, in whole seconds, lies between MAIL FROM and the end; for sendmail(1) it may be earlier."""
        if self.MTA != "postfix":
            return
        arrival, = [entry["arrival_time"] for entry in self.mta.queue() if entry["queue_id"] == row["queue_id"]]
        self.assertLessEqual(arrival, row["judged"] // 1000000 + 1)
        if way != "sendmail":
            self.assertGreaterEqual(arrival, row["began"] // 1000000 - 1)

    def test_what_is_not_held(self):
        for way in self.smtp_ways():
            with self.subTest(way):
                before = ledgerfile.queue_ids(self.guard.ledger_path)
                self.check_delivered(way, WIDE[:3], cc=WIDE[:3])
                self.check_rejected(way, policies.people(60), policies.REJECT_TEXT % 60, cc=policies.people(60))
                self.assertEqual(ledgerfile.queue_ids(self.guard.ledger_path), before)


class Locked(mtacase.MtaCase):
    """Another process has the ledger: the client is told to come again, and nothing is held; other mail goes on."""

    def test_locked(self):
        for way in self.smtp_ways():
            with self.subTest(way):
                subject, text = self.message(cc=WIDE)
                with ledgerfile.locked(self.guard.ledger_path):
                    reply = self.mta.send(way, mtacase.SENDER, WIDE, text)
                    self.assertEqual((reply.stage, reply.code), ("data", 451), reply)
                    self.check_delivered(way, WIDE[:3], cc=WIDE[:3])
                queue_id = self.rejected_id(subject)
                self.assertLine(self.guard.verdict(queue_id), verdict="tempfail", rule="error:wide-cc")
                self.assertNothingOf(subject, queue_id)
                self.assertEqual(ledgerfile.rows(self.guard.ledger_path, queue_id), [])
                self.check_held(way, WIDE, cc=WIDE, rule="wide-cc")

    def test_sendmail(self):
        """What sendmail(1) took waits there, and is held once it can be."""
        before = set(self.mta.held())
        subject, text = self.message(cc=WIDE)
        with ledgerfile.locked(self.guard.ledger_path):
            self.mta.submit(mtacase.SENDER, WIDE, text, wait=False)
            self.assertLine(self.guard.verdict(self.rejected_id(subject)), verdict="tempfail", rule="error:wide-cc")
            daemon.wait_until(self.mta.maildrop, mta.LIMIT, "the message among what waits")

        def handed_on():
            self.mta.kick_pickup()  # more than once: after a lock the ledger has little time
            with contextlib.suppress(AssertionError):
                return daemon.wait_until(lambda: set(self.mta.held()) - before, 10)
            return None
        queue_id, = daemon.wait_until(handed_on, mta.LIMIT, "the hold")
        self.assertEqual(ledgerfile.row(self.guard.ledger_path, queue_id)["state"], "pending")
        self.assertEqual(self.mta.recipients(subject), [])


if __name__ == "__main__":
    mtacase.main(240)
