"""Held mail under trouble: what must be true of every message, and of ledger and queue, whatever happened."""

import collections

import daemon
import ledgerfile
import mta
import review


class AccountingCase(review.ReviewCase):
    def copies(self):
        """{subject: {recipient: copies}} of all that was delivered."""
        found = collections.defaultdict(collections.Counter)
        for delivery in self.mta.deliveries():
            subject = next((line[9:] for line in delivery.header.split("\n") + delivery.message.split("\n") if line.startswith("Subject: ")), None)
            found[subject].update(delivery.recipients)
        return found

    def assertAgree(self):
        """Each message on hold has its row, and each row that says so its message."""
        rows = self.done("list", "--json").json()
        self.assertEqual([one for one in rows if one["state"] not in ("held", "pending")], [])
        self.assertEqual(sorted(one["id"] for one in rows if one["state"] == "held"), sorted(self.mta.held()))
        self.assertEqual([one["id"] for one in rows if one["state"] == "pending" and one["on_hold"]], [])
        self.assertEqual(ledgerfile.integrity(self.guard.ledger_path), ["ok"])
        return rows

    def assertDeliveredOnce(self, messages):
        wanted = {one.subject: collections.Counter(one.recipients) for one in messages}
        daemon.wait_until(lambda: sum(sum(count.values()) for subject, count in self.copies().items() if subject in wanted) >=
                          sum(len(one.recipients) for one in messages), mta.LIMIT, "the deliveries")
        found = self.copies()
        self.assertEqual({subject: found[subject] for subject in wanted}, wanted)

    def assertNothingDelivered(self, messages):
        found = self.copies()
        self.assertEqual([one.subject for one in messages if one.subject in found], [])
