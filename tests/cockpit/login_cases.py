"""Who gets in, and who does not: PAM, the shell, the group; the end of a session."""

import os
import signal
import subprocess
import unittest

import chrome
import mailhost
import pagecase


def processes(name, user):
    """The process ids of a program that a user runs."""
    found = subprocess.run(["ps", "-u", user, "-o", "pid=,args="], stdout=subprocess.PIPE, text=True, check=False).stdout
    return [int(line.split()[0]) for line in found.splitlines() if name in line]


class Login(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        pagecase.prepare()
        mailhost.clear()

    def test_wrong_password(self):
        """a wrong password is refused; the right one after it is not"""
        with chrome.Reviewer() as page:
            self.assertIn("Review of held mail", page.driver.title + page.text("body"))
            page.shot("login")
            page.log_in("alice", "not it")
            page.wait_text("#login-error-message", "(?i)wrong user name or password")
            page.log_in("alice", mailhost.PASSWORD)
            page.wait_text("#list-status", r"\S")

    def test_no_shell(self):
        """a user without a shell gets no session, though he is in the group"""
        with chrome.Reviewer() as page:
            page.log_in("carol", mailhost.PASSWORD)
            page.wait_text("#login-error-message, #login-fatal, #error-group", r"\S")
            self.assertIsNone(page.visible("#list"))
            self.assertEqual(processes("cockpit-bridge", "carol"), [])

    def test_no_right(self):
        """who is not in the group reads a sentence, and no empty list"""
        mailhost.hold("Not for bob")
        with chrome.Reviewer() as page:
            page.log_in("bob", mailhost.PASSWORD)
            text = page.wait_text("#trouble", r"\w+ \w+")
            self.assertIn(mailhost.GROUP, text)
            self.assertIn("sudo: a password is required", text)
            self.assertEqual(page.find("#trouble").get_attribute("role"), "alert")
            self.assertIsNone(page.visible("#list-table"))
            self.assertNotIn("Not for bob", page.text("body"))
            self.assertNotRegex(page.text("body"), r"\b0 held\b")
            page.shot("no-right")

    def test_log_out(self):
        """after logging out the log-in page is there, also at the next visit"""
        mailhost.hold("Left on the screen")
        with chrome.Reviewer("alice") as page:
            page.wait_text("#list-table", "Left on the screen")
            page.press("Log out")
            page.wait("#login-user-input", "the form")
            mailhost.until(lambda: not processes("cockpit-bridge", "alice"), "alice's bridge has ended")
            page.driver.get(page.root)
            page.wait("#login-user-input", "the form")
            self.assertNotIn("Left on the screen", page.text("body"))

    def ended(self, end):
        """The page says that the session is over, and no button decides any more."""
        queue_id = mailhost.hold("The session ends")
        with chrome.Reviewer("alice") as page:
            page.look(queue_id)
            end()
            page.wait_text("#trouble", r"(?i)session")
            self.assertEqual(page.find("#trouble").get_attribute("role"), "alert")
            button = page.button("Release\u2026", "#message-decide")
            self.assertTrue(button is None or not button.is_enabled(), "a decision is offered")
            page.shot("session-over")
        self.assertIn(queue_id, mailhost.held())

    def test_bridge_ends(self):
        """the bridge of the session is killed"""
        def end():
            for pid in processes("cockpit-bridge", "alice"):
                os.kill(pid, signal.SIGKILL)
        self.ended(end)

    def test_server_ends(self):
        """the web server stops"""
        try:
            self.ended(lambda: mailhost.run("systemctl", "stop", "rcptguard-web.socket", "rcptguard-web.service"))
        finally:
            mailhost.start_web()
