"""Sendmail's queue as it may be laid out, and what else may be at it; which MTA's queue it is."""

import fcntl
import os
import subprocess

import daemon
import ledgerfile
import mta
import mtacase
import policies
import review
import sendmail


class Spool(review.ReviewCase):
    """Folders of folders, queue groups, and a folder for each kind of file."""

    MTAS = ("sendmail",)

    def spread_configuration(self):
        """The same configuration with two folders by a pattern, of which one has folders of its own, and a group beside them."""
        queue = self.mta._path("queue")
        for name in ("q1/qf", "q1/df", "q1/xf", "q2", "group"):
            os.makedirs(os.path.join(queue, name), 0o700, exist_ok=True)
        with open(self.mta._path("sendmail.cf"), encoding="utf-8", errors="surrogateescape") as file:
            text = file.read()
        path = self.mta._path("many.cf")
        daemon.write(path, text.replace("O QueueDirectory=%s\n" % queue, "O QueueDirectory=%s/q*\n" % queue) + "Qother, P=%s/group, F=f\n" % queue)
        return path

    def move(self, held, control, body):
        for kind, folder in (("hf", control), ("df", body)):
            os.rename(self.mta._path("queue", kind + held.id), self.mta._path("queue", folder, kind + held.id))

    def test_folders(self):
        """found, shown and deleted wherever they are"""
        held = [self.hold() for _ in range(3)]
        path = self.spread_configuration()
        for one, folders in zip(held, (("q1/qf", "q1/df"), ("q2", "q2"), ("group", "q2"))):
            self.move(one, *folders)
        self.configure(sendmail_config=path)
        self.assertEqual({queue_id: (one["state"], one["recipients"]) for queue_id, one in self.listed().items()}, {one.id: ("held", 12) for one in held})
        for one in held:
            self.assertIn("Hello.", self.done("show", "--message", one.id).out)
            self.done("delete", one.id, reason="x")
        self.assertEqual(self.listed(), {})
        self.assertEqual([name for _, _, names in os.walk(self.mta._path("queue")) for name in names if name[2:] in {one.id for one in held}], [])

    def test_locked(self):
        """what another process has locked stays as it is, and so it is said"""
        held = self.hold(sender="kim@me.example")
        with open(self.mta.control_file(held.id), "rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            for name in "release", "return", "delete":
                self.refused(review.PASSING, "%s: stays on hold: another process is at the message" % held.id, name, held.id, reason="x")
            # Sendmail honours the same lock: its own command does nothing, without a word.
            subprocess.run([sendmail.program(), "-C", self.mta._path("sendmail.cf"), "-qQ", "-qI" + held.id, "-Q"], check=True)
            self.assertOnHold(held)
        self.done("release", held.id, reason="x")
        self.assertArrived(held)

    def test_a_command_that_does_nothing(self):
        """its exit code is not believed"""
        held = self.hold()
        path = daemon.write(self.mta._path("idle"), "#!/bin/sh\nexit 0\n")
        os.chmod(path, 0o755)
        self.configure(sendmail_command=path)
        self.refused(review.PASSING, "%s: stays on hold: sendmail -Q left the message as it was" % held.id, "release", held.id, reason="x")
        self.assertOnHold(held)
        self.assertEqual(self.state(held.id), "held")

    def test_left_over(self):
        """a Sendmail that was killed leaves a file behind past which no other comes"""
        held = self.hold()
        daemon.write(self.mta._path("queue", "tf" + held.id), "V8\n")
        self.done("release", held.id, reason="x")
        self.assertArrived(held)

    def test_eight_bit(self):
        """what Sendmail quotes in its files is shown as the message has it"""
        held = self.hold(subject="Gr\u00fc\u00dfe \u201calle\u201d", headers=[("Bcc", "blind@x.example")])
        text = self.done("show", "--raw", held.id).out
        self.assertIn("Subject: Gr\u00fc\u00dfe \u201calle\u201d\n", text)
        self.assertNotIn("Bcc", text)
        self.assertNotIn("Return-Path", text)
        self.done("delete", held.id, reason="x")

    def test_found(self):
        """which of two it is: by what runs"""
        held = self.hold()
        keys = {"mta": "auto"}
        self.configure(**keys)
        self.assertEqual(list(self.listed()), [held.id])
        self.mta.halt()  # with neither running, by what was held last
        try:
            self.assertEqual(list(self.listed()), [held.id])
        finally:
            self.mta.resume()
        ledgerfile.execute(self.guard.ledger_path, "UPDATE held SET mta = 1 WHERE queue_id = ?", held.id)
        self.assertEqual(list(self.listed()), [held.id])  # it runs, and Postfix does not
        self.done("delete", held.id, reason="x")


class Macros(mtacase.MtaCase):
    """Whatever the administrator chose, Sendmail sends what the daemon asks for."""

    MTAS = ("sendmail",)
    POLICY = policies.policy(outbound='outbound when authenticated and listener in "MSA"')
    EXTRA = {"sendmail": "".join("define(`confMILTER_MACROS_%s', `')dnl\n" % stage for stage in ("CONNECT", "HELO", "ENVFROM", "ENVRCPT", "DATA", "EOH", "EOM"))}

    def test_asked_for(self):
        line = self.check_held("auth", policies.people(12), cc=policies.people(12), client=None, user="care", rule="wide-cc")
        self.assertNotEqual(line.queue_id, "NOQUEUE")
        self.assertEqual([text for text in self.guard.lines if text.startswith("macros: ")], [])


if __name__ == "__main__":
    mtacase.main()
