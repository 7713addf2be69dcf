"""rcptguardq fails: the page says what it or sudo says, and works again when the cause is gone."""

import contextlib
import os
import subprocess

import mailhost
import pagecase

SUDOERS = "/etc/sudoers.d/rcptguard"
RUNS = ("rcptguard-agent.service", "rcptguard-notify.service")


@contextlib.contextmanager
def away(path):
    os.rename(path, path + ".away")
    try:
        yield
    finally:
        os.rename(path + ".away", path)


@contextlib.contextmanager
def mode(path, bits):
    before = os.stat(path).st_mode & 0o7777
    os.chmod(path, bits)
    try:
        yield
    finally:
        os.chmod(path, before)


@contextlib.contextmanager
def not_executable():
    """The program; what runs it meanwhile fails, and so it does until its next run, which can be a minute away."""
    with mode(mailhost.PROGRAM, 0o644):
        assert subprocess.run(["systemctl", "start", *RUNS], stderr=subprocess.DEVNULL, check=False).returncode != 0, "a run without the program"
        yield
    mailhost.run("systemctl", "start", *RUNS)


def said_in_a_shell(name):
    """What the same command says to the same reviewer in a shell, in its own words."""
    done = subprocess.run(["runuser", "-u", name, "--", "sudo", "-n", mailhost.PROGRAM, "list", "--json"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode != 0, "it works"
    return done.stderr.strip()


class Trouble(pagecase.PageCase):
    def fails(self, breakage, shot):
        """Says it on a page that is loaded while it fails, and works again afterwards."""
        queue_id = mailhost.hold("In trouble")
        self.page.wait_row(queue_id)
        with breakage:
            said = said_in_a_shell(self.WHO)
            self.page.driver.refresh()
            text = self.page.wait_text("#trouble", r"\w+ \w+")
            for line in said.splitlines():
                self.assertIn(line.strip(), text)
            self.assertEqual(self.page.find("#trouble").get_attribute("role"), "alert")
            self.assertIsNone(self.page.row(queue_id), "an old list beside it")
            self.assertNotRegex(self.page.text("body"), r"\b0 held\b")
            self.page.shot(shot)
        self.page.driver.refresh()
        self.page.wait_row(queue_id)
        self.assertFalse(self.page.text("#trouble"))

    def test_ledger(self):
        """the ledger is away"""
        mailhost.run("systemctl", "stop", "rcptguardd")
        try:
            with contextlib.ExitStack() as stack:
                for name in "-wal", "-shm":
                    if os.path.exists(mailhost.LEDGER + name):
                        stack.enter_context(away(mailhost.LEDGER + name))
                queue_id = None
                stack.enter_context(away(mailhost.LEDGER))
                said = said_in_a_shell(self.WHO)
                self.page.driver.refresh()
                text = self.page.wait_text("#trouble", r"\w+ \w+")
                for line in said.splitlines():
                    self.assertIn(line.strip(), text)
                self.assertIsNone(queue_id)
                self.page.shot("no-ledger")
        finally:
            mailhost.run("systemctl", "start", "rcptguardd")
        queue_id = mailhost.hold("The ledger is back")
        self.page.driver.refresh()
        self.page.wait_row(queue_id)
        self.assertFalse(self.page.text("#trouble"))

    def test_program(self):
        """the program is not executable"""
        self.fails(not_executable(), "no-program")

    def test_sudoers(self):
        """sudo no longer allows it"""
        self.fails(away(SUDOERS), "no-sudoers")

    def test_decision(self):
        """sudo no longer allows it when the decision is made: said in the dialog, and the message stays"""
        queue_id = mailhost.hold("Decided in trouble")
        self.page.look(queue_id)
        self.page.ask("Release\u2026")
        self.page.give_reason("fine")
        with away(SUDOERS):
            self.page.confirm()
            self.page.until(lambda: "sudo: a password is required" in self.page.text("body"), "sudo's words")
            self.assertIn(queue_id, mailhost.held())
            self.assertEqual(mailhost.decided(queue_id), [])
        self.page.driver.refresh()
        self.page.look(queue_id)
