"""Two instances of Postfix behind the daemon whose mail the page shows."""

import contextlib
import os
import sqlite3
import subprocess

import chrome
import mailhost
import pagecase
import second_postfix
from decision_cases import DELETE, RELEASE

CONF = "/etc/rcptguard/rcptguard.conf"
AGENT = ("rcptguard-agent.path", "rcptguard-agent.timer", "rcptguard-agent.service")


def end_followers():
    """What shows a page its news outlives the page for a while, with the configuration that it has read: that of other queues than there are then."""
    pattern = "^%s counts " % mailhost.PROGRAM
    subprocess.run(["pkill", "-f", pattern], check=False)
    mailhost.until(lambda: subprocess.run(["pgrep", "-f", pattern], stdout=subprocess.DEVNULL, check=False).returncode == 1, "the end of those who follow")


def make_instances():
    """What brings the ledger up to date besides those who look does not run."""
    end_followers()
    mailhost.run("systemctl", "stop", *AGENT)
    second_postfix.make()
    mailhost.write(CONF, mailhost.REVIEW.replace("[review]\n", "[review]\npostfix-config = postmulti\n"))
    mailhost.run("systemctl", "restart", "rcptguardd")
    mailhost.run(mailhost.PROGRAM, "setup", "postfix", "--yes")
    mailhost.run("systemctl", "restart", "postfix")
    second_postfix.start()


def remove_instances():
    end_followers()
    mailhost.run(mailhost.PROGRAM, "setup", "postfix", "--undo", "--yes")
    second_postfix.remove()
    mailhost.write(CONF, mailhost.REVIEW)
    mailhost.run("systemctl", "restart", "rcptguardd")
    mailhost.run(mailhost.PROGRAM, "setup", "postfix", "--yes")
    mailhost.run("systemctl", "restart", "postfix")
    mailhost.until(mailhost.listens, "Postfix listens")
    mailhost.run("systemctl", "start", *AGENT[:2])


class Instances(pagecase.PageCase):
    @classmethod
    def setUpClass(cls):
        pagecase.prepare()
        mailhost.clear()
        cls.addClassCleanup(remove_instances)
        make_instances()
        cls.page = chrome.Reviewer(cls.WHO)

    def same_id(self):
        """The id of a message in the queue of each, which is that of both; meanwhile nobody looks."""
        self.page.driver.get("about:blank")
        here, there = mailhost.hold("Here"), mailhost.hold("There", port=second_postfix.PORT)
        with contextlib.closing(sqlite3.connect(mailhost.LEDGER, timeout=60)) as ledger, ledger:
            ledger.execute("UPDATE held SET queue_id = ? WHERE queue_id = ?", (here, there))
            os.rename("%s/hold/%s" % (second_postfix.SPOOL, there), "%s/hold/%s" % (second_postfix.SPOOL, here))
        self.page.driver.get(self.page.root)
        self.page.wait("#list-status", "the list")
        return here

    def test_same_id(self):
        """two messages have one queue id: each is shown, decided about and in the history as that of its instance"""
        queue_id = self.same_id()
        here, there = "postfix/" + queue_id, "postfix-out/" + queue_id
        self.page.wait_rows(here, there)
        self.assertIn("Here", self.page.row_text(here))
        self.page.follow(there)
        self.page.wait_text("#message-heading", "There")
        self.page.decide(RELEASE, "they know each other")
        self.assertDelivered("There")
        self.page.close_dialog()
        self.page.list()
        self.page.wait_rows(here)
        self.page.choose(here)
        self.page.decide(DELETE, "of a robot", within="#list")
        mailhost.until(lambda: not mailhost.held(), "nothing is on hold")
        self.assertEqual(mailhost.delivered("Here"), [])
        self.page.go("#/history")
        self.page.wait_text("#history", there + "[^\n]*alice[^\n]*release")
        self.page.wait_text("#history", here + "[^\n]*alice[^\n]*delete")
