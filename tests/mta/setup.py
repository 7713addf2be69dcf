"""rcptguardq setup: puts the daemon into a real configuration and takes it out again; and a private Postfix that judges mail by it."""

import glob
import json
import os
import pty
import pwd
import re
import shutil
import socketserver
import stat
import subprocess
import tempfile
import threading
import time
import unittest

import daemon
import doctorcase
import mta
import policies
import postfix
import review
import sendmail
import surroundings
import tap

_MAIN = """\
# who we are
compatibility_level = 3.6
myhostname = mail.me.example
queue_directory = {queue}
milter_default_action = tempfail

# networks, on
# several lines
mynetworks =
    127.0.0.0/8
    # a comment within
    10.0.0.0/8
mydestination = me.example
"""

_MASTER = """\
smtp inet n - y - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
"""

_MC = """\
divert(0)dnl
VERSIONID(`private')
OSTYPE(`linux')dnl
dnl INPUT_MAIL_FILTER(`old', `S=unix:/run/old.sock')dnl
define(`confDOMAIN_NAME', `mail.me.example')dnl
MAILER(`local')dnl
MAILER(`smtp')dnl
"""


class _HangsUp(socketserver.BaseRequestHandler):
    """Something that listens and is no milter."""

    def handle(self):
        self.request.recv(1)


class SetupCase(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.folder = daemon.temporary_directory()
        self.addCleanup(shutil.rmtree, self.folder)
        self.queue = os.path.join(self.folder, "queue")
        os.mkdir(self.queue, 0o755)
        self.socket_folder = os.path.join(self.queue, "rcptguard")
        self.config = self.configure("unix:" + os.path.join(self.socket_folder, "rcptguard.sock"))

    def configure(self, socket):
        return daemon.write_config(os.path.join(self.folder, "rcptguard.conf"), {("milter", "socket"): socket, ("milter", "user"): daemon.USER})

    def ask(self, *arguments):
        """No daemon runs here, so what makes a change says --anyway."""
        return self.ask_plainly(*arguments, *(["--anyway"] if "--yes" in arguments else []))

    def ask_plainly(self, *arguments):
        done = subprocess.run([review.PROGRAM, "setup", "-c", self.config, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=daemon.LIMIT, check=False, env=daemon.environment())
        return review.Answer(done.returncode, done.stdout.decode(), done.stderr.decode())

    def done(self, *arguments):
        answer = self.ask(*arguments)
        self.assertEqual((answer.code, answer.err), (review.DONE, ""), answer)
        return answer.out

    def used(self):
        """What --is-used prints: the places that name the daemon."""
        answer = self.ask(*self.arguments, "--is-used")
        self.assertEqual((answer.code, answer.err), (review.DONE if answer.out else review.GONE, ""), answer)
        self.assertEqual(json.loads(self.ask(*self.arguments, "--is-used", "--json").out), {"used": answer.out != ""})
        return answer.out.splitlines()

    @staticmethod
    def read(path):
        with open(path, encoding="utf-8") as file:
            return file.read()

    @staticmethod
    def backups(path):
        return sorted(glob.glob(path + ".rcptguard-*.bak"))

    def assertNothingLeft(self, folder, *names):
        """No half of a file, no temporary one."""
        self.assertEqual(sorted(name for name in os.listdir(folder) if not name.endswith(".bak")), sorted(names))


@unittest.skipUnless(daemon.ROOT, "edits what is root's")
class OnPostfix(SetupCase):
    ENTRY = "unix:rcptguard/rcptguard.sock"

    def setUp(self):
        super().setUp()
        self.etc = os.path.join(self.folder, "etc")
        os.mkdir(self.etc, 0o755)
        self.main = daemon.write(os.path.join(self.etc, "main.cf"), _MAIN.format(queue=self.queue))
        daemon.write(os.path.join(self.etc, "master.cf"), _MASTER)
        self.arguments = ["postfix", "--postfix-config", self.etc]

    def add(self, text, name="main.cf"):
        with open(os.path.join(self.etc, name), "a", encoding="utf-8") as file:
            file.write(text)

    def settle(self):
        daemon.settle(*glob.glob(os.path.join(self.etc, "*.cf")))

    def ask(self, *arguments):
        self.settle()
        return super().ask(*arguments)

    def value(self, name):
        self.settle()
        return subprocess.run(["postconf", "-c", self.etc, "-x", "-h", name], check=True, stdout=subprocess.PIPE).stdout.decode().strip()

    def test_dry_run(self):
        before = self.read(self.main)
        for arguments in ([], ["--dry-run"]):  # nobody can be asked where there is no terminal
            text = self.done(*self.arguments, *arguments)
            self.assertIn("--- %s\n+++ %s\n@@ " % (self.main, self.main), text)
            self.assertEqual(re.findall(r"(?m)^[+-](?![+-]).*", text), ["+smtpd_milters = " + self.ENTRY, "+non_smtpd_milters = " + self.ENTRY])
            self.assertIn("%s is not there" % self.socket_folder, text)
            self.assertEqual(self.read(self.main), before)
            self.assertNothingLeft(self.etc, "main.cf", "master.cf")
            self.assertFalse(os.path.exists(self.socket_folder))

    def test_apply(self):
        before = self.read(self.main)
        os.chmod(self.main, 0o640)
        daemon.own(self.main, "postfix")
        text = self.done(*self.arguments, "--yes")
        self.assertEqual(self.read(self.main), before + "smtpd_milters = %s\nnon_smtpd_milters = %s\n" % (self.ENTRY, self.ENTRY))
        backup, = self.backups(self.main)
        self.assertRegex(backup, r"/main\.cf\.rcptguard-\d{8}T\d{6}Z-00\.bak$")
        self.assertEqual(self.read(backup), before)
        self.assertIn("as it was: " + backup, text)
        self.assertIn("next: postfix -c '%s' reload" % self.etc, text)
        for path in self.main, backup:
            status = os.stat(path)
            self.assertEqual((stat.S_IMODE(status.st_mode), status.st_uid), (0o640, pwd.getpwnam("postfix").pw_uid))
        self.assertNothingLeft(self.etc, "main.cf", "master.cf")
        status = os.stat(self.socket_folder)
        self.assertEqual((stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid),
                         (0o2750, pwd.getpwnam(daemon.USER).pw_uid, pwd.getpwnam("postfix").pw_gid))

    def test_no_wait(self):
        """of a main.cf that was written just now; Postfix's own commands wait a second or two at each look, of which there are ten"""
        for arguments in ["--dry-run"], ["--yes"], ["--undo", "--yes"]:
            self.settle()
            start = time.monotonic()
            self.assertEqual(SetupCase.ask(self, *self.arguments, "--dry-run").code, review.DONE)
            settled = time.monotonic() - start  # what a look costs on this machine
            for name in "main.cf", "master.cf":
                os.utime(os.path.join(self.etc, name))
            start = time.monotonic()
            answer = SetupCase.ask(self, *self.arguments, *arguments)
            self.assertEqual(answer.code, review.DONE, answer)
            self.assertLess(time.monotonic() - start, 8 * tap.SLOWNESS + 3 * settled)

    def test_no_daemon(self):
        """nothing answers: the folder is made, the change is not, and it is said what to type"""
        before = self.read(self.main)
        self.settle()
        self.assertIn("note: no daemon answers at unix:%s/rcptguard.sock: No such file or directory; it has to run before" % self.socket_folder, self.ask_plainly(*self.arguments).out)
        for made in "was made, for the socket", "":
            answer = self.ask_plainly(*self.arguments, "--yes", "--reload")
            self.assertEqual(answer.code, review.WRONG, answer)
            self.assertIn(made, answer.out)
            self.assertIn("no daemon answers at unix:%s/rcptguard.sock: No such file or directory; %s was not changed: start it first (systemctl start rcptguardd), or use --anyway\n"
                          % (self.socket_folder, self.main), answer.err)
        self.assertEqual((self.read(self.main), self.backups(self.main)), (before, []))
        with socketserver.UnixStreamServer(os.path.join(self.socket_folder, "rcptguard.sock"), _HangsUp) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            answer = self.ask_plainly(*self.arguments, "--yes")
            server.shutdown()
        self.assertIn("what answers does not speak the milter protocol", answer.err)
        self.assertEqual((answer.code, self.read(self.main)), (review.WRONG, before))

    def test_is_used(self):
        """by what is in force: main.cf, or what master.cf says for a service"""
        self.assertEqual(self.used(), [])
        self.done(*self.arguments, "--yes")
        self.assertEqual(self.used(), ["smtpd_milters", "non_smtpd_milters"])
        self.add("submission inet n - y - - smtpd\n  -o { smtpd_milters = inet:127.0.0.1:8891, %s }\n"
                 "relay inet n - y - - smtpd\n  -o smtpd_milters=inet:127.0.0.1:8891\n" % self.ENTRY, "master.cf")
        self.done(*self.arguments, "--undo", "--yes")
        self.assertEqual(self.used(), ["smtpd_milters of submission/inet"])

    def test_is_used_cannot_be_told(self):
        answer = self.ask("postfix", "--postfix-config", self.folder, "--is-used")
        self.assertEqual((answer.code, answer.out), (review.WRONG, ""))
        self.assertIn("postconf", answer.err)

    def test_twice(self):
        self.done(*self.arguments, "--yes")
        after = self.read(self.main)
        text = self.done(*self.arguments, "--yes")
        self.assertEqual(text, "%s: nothing to do: rcptguard is there, and the last milter\n" % self.main)
        self.assertEqual((self.read(self.main), len(self.backups(self.main))), (after, 1))

    def test_json(self):
        before = self.read(self.main)
        shown = json.loads(self.done(*self.arguments, "--json"))
        self.assertEqual((shown["file"], shown["changed"], shown["backup"], self.read(self.main)), (self.main, False, None, before))
        changed = json.loads(self.done(*self.arguments, "--json", "--yes"))
        self.assertEqual(changed, {"file": self.main, "changed": True, "diff": shown["diff"], "backup": self.backups(self.main)[0], "more": []})
        self.assertEqual(json.loads(self.done(*self.arguments, "--json", "--yes")), {"file": self.main, "changed": False, "diff": "", "backup": None, "more": []})

    def test_the_folder_alone(self):
        self.done(*self.arguments, "--yes")
        os.rmdir(self.socket_folder)
        self.assertIn("was made, for the socket", self.done(*self.arguments, "--yes"))
        self.assertTrue(os.path.isdir(self.socket_folder))
        self.assertEqual(len(self.backups(self.main)), 1)

    def test_undo(self):
        before = self.read(self.main)
        self.done(*self.arguments, "--yes")
        text = self.done(*self.arguments, "--undo", "--yes")
        self.assertEqual(re.findall(r"(?m)^[+-](?![+-]).*", text), ["-smtpd_milters = " + self.ENTRY, "-non_smtpd_milters = " + self.ENTRY])
        self.assertEqual(self.read(self.main), before)
        self.assertEqual(self.done(*self.arguments, "--undo", "--yes"), "%s: nothing to do: rcptguard is not there\n" % self.main)

    def test_other_milters(self):
        """they stay before ours, as they are written"""
        self.add("smtpd_milters = inet:127.0.0.1:8891\n    # the scanner\n    { inet:127.0.0.1:8892, default_action=accept }\nnon_smtpd_milters = $smtpd_milters\n")
        daemon.write(self.main, self.read(self.main).replace("milter_default_action = tempfail", "milter_default_action = accept"))
        before = self.read(self.main)
        self.done(*self.arguments, "--yes")
        entry = "{ %s, default_action=tempfail }" % self.ENTRY
        wanted = "inet:127.0.0.1:8891, { inet:127.0.0.1:8892, default_action=accept }, " + entry
        self.assertEqual((self.value("smtpd_milters"), self.value("non_smtpd_milters")), (wanted, wanted))
        self.assertIn("\nnon_smtpd_milters = $smtpd_milters\n", self.read(self.main))
        self.done(*self.arguments, "--undo", "--yes")
        self.assertEqual(self.read(self.main), before)

    def test_default_action(self):
        """whatever Postfix does by itself while a milter is away (from 3.10 on it is `shutdown`), mail waits for ours"""
        daemon.write(self.main, self.read(self.main).replace("milter_default_action = tempfail\n", ""))
        self.done(*self.arguments, "--yes")
        own = subprocess.run(["postconf", "-d", "-h", "milter_default_action"], check=True, stdout=subprocess.PIPE).stdout.decode().strip()
        self.assertIn(self.value("smtpd_milters"), [self.ENTRY] if own == "tempfail" else ["{ %s, default_action=tempfail }" % self.ENTRY])

    def test_not_the_last(self):
        self.add("smtpd_milters = %s, inet:127.0.0.1:8891\nnon_smtpd_milters = %s\n" % (self.ENTRY, self.ENTRY))
        self.done(*self.arguments, "--yes")
        self.assertEqual(self.value("smtpd_milters"), "inet:127.0.0.1:8891, " + self.ENTRY)

    def test_undo_keeps_what_others_changed(self):
        self.add("smtpd_milters = inet:127.0.0.1:8891\n")
        self.done(*self.arguments, "--yes")
        text = self.read(self.main)
        daemon.write(self.main, text.replace("mydestination = me.example", "mydestination = me.example, you.example") + "# the last line\n")
        self.done(*self.arguments, "--undo", "--yes")
        self.assertEqual(self.read(self.main), _MAIN.format(queue=self.queue).replace("mydestination = me.example", "mydestination = me.example, you.example")
                         + "smtpd_milters = inet:127.0.0.1:8891\n# the last line\n")

    def test_undo_where_others_changed_the_same_line(self):
        self.add("smtpd_milters = inet:127.0.0.1:8891\n")
        self.done(*self.arguments, "--yes")
        subprocess.run(["postconf", "-c", self.etc, "-e", "smtpd_milters = inet:127.0.0.1:8892, %s, inet:127.0.0.1:8893" % self.ENTRY], check=True)
        self.done(*self.arguments, "--undo", "--yes")
        self.assertEqual((self.value("smtpd_milters"), self.value("non_smtpd_milters")), ("inet:127.0.0.1:8892, inet:127.0.0.1:8893", ""))
        self.assertNotIn("<<<<<<<", self.read(self.main))

    def test_undo_without_a_backup(self):
        self.done(*self.arguments, "--yes")
        os.unlink(self.backups(self.main)[0])
        self.done(*self.arguments, "--undo", "--yes")
        self.assertEqual(self.read(self.main), _MAIN.format(queue=self.queue))

    def test_services(self):
        """what master.cf says for a service is told, and stays"""
        self.add("submission inet n - y - - smtpd\n  -o smtpd_milters=inet:127.0.0.1:8891\n", "master.cf")
        before = self.read(os.path.join(self.etc, "master.cf"))
        text = self.done(*self.arguments, "--yes")
        self.assertIn("note: submission/inet has its own smtpd_milters in master.cf, which stays as it is\n", text)
        self.assertEqual(self.read(os.path.join(self.etc, "master.cf")), before)

    def test_a_socket_that_was_ours(self):
        """nobody serves it any more: it goes"""
        self.add("smtpd_milters = unix:/run/rcptguard/rcptguard.sock, inet:127.0.0.1:8891\nnon_smtpd_milters = $smtpd_milters\n")
        self.done(*self.arguments, "--yes")
        self.assertEqual(self.value("non_smtpd_milters"), "inet:127.0.0.1:8891, " + self.ENTRY)

    FILTERED = "127.0.0.1:10026 inet n - n - - smtpd\n  -o content_filter=\n  -o myhostname=back.me.example\n"

    def test_content_filter(self):
        """the listener that takes mail back has the other milters, and not ours; undo is whole; a second time nothing is done"""
        self.add("smtpd_milters = inet:127.0.0.1:8891, { inet:127.0.0.1:8892, default_action=accept }\ncontent_filter = smtp:[127.0.0.1]:10025\n")
        self.add("# after the filter\n" + self.FILTERED, "master.cf")
        master = os.path.join(self.etc, "master.cf")
        before = self.read(self.main), self.read(master)
        text = self.done(*self.arguments, "--yes")
        self.assertIn("\n+    -o smtpd_milters=inet:127.0.0.1:8891,{inet:127.0.0.1:8892,default_action=accept}\n", text)
        self.assertIn("\nnote: 127.0.0.1:10026/inet takes mail back from a content filter: its milters are those of main.cf without rcptguard", text)
        self.assertEqual(re.findall(r"(?m)^(\S+) was changed; as it was: \1\.rcptguard-", text), [self.main, master])
        self.settle()
        said = subprocess.run(["postconf", "-c", self.etc, "-P", "127.0.0.1:10026/inet/smtpd_milters"], check=True, stdout=subprocess.PIPE).stdout.decode()
        self.assertEqual(said, "127.0.0.1:10026/inet/smtpd_milters = inet:127.0.0.1:8891,{inet:127.0.0.1:8892,default_action=accept}\n")
        self.assertIn("nothing to do", self.done(*self.arguments, "--yes"))
        self.assertEqual([len(self.backups(path)) for path in (self.main, master)], [1, 1])
        shown = json.loads(self.done(*self.arguments, "--undo", "--json", "--dry-run"))
        self.assertEqual([one["file"] for one in shown["more"]], [master])
        self.done(*self.arguments, "--undo", "--yes")
        self.assertEqual((self.read(self.main), self.read(master)), before)

    def test_content_filter_after_all(self):
        """it came after our milter: setup adds the one thing that lacks"""
        self.done(*self.arguments, "--yes")
        self.add(self.FILTERED, "master.cf")
        text = self.done(*self.arguments, "--yes")
        self.assertNotIn(self.main + "\n@@", text)
        added = [" ".join(line.split()) for line in re.findall(r"(?m)^\+(?!\+)(.*)", text)]
        self.assertEqual(added, ["127.0.0.1:10026 inet n - n - - smtpd", "-o content_filter=", "-o myhostname=back.me.example", "-o smtpd_milters="])

    def test_no_content_filter(self):
        """what is no way back from one stays as it is: people log in there; milters are off; the admin did it; a proxy is before it"""
        for lines in ("-o smtpd_sasl_auth_enable=yes", "-o receive_override_options=no_milters", "-o smtpd_milters=", "-o smtpd_proxy_filter=127.0.0.1:10024"):
            daemon.write(os.path.join(self.etc, "master.cf"), _MASTER + self.FILTERED + "  %s\n" % lines)
            self.assertNotIn("master.cf", self.done(*self.arguments, "--dry-run"), lines)

    def test_undo_of_what_an_admin_wrote(self):
        self.add(self.FILTERED + "  -o smtpd_milters=\n", "master.cf")
        before = self.read(os.path.join(self.etc, "master.cf"))
        self.done(*self.arguments, "--yes")
        self.done(*self.arguments, "--undo", "--yes")
        self.assertEqual(self.read(os.path.join(self.etc, "master.cf")), before)

    def test_sockets(self):
        """outside the queue directory, and over the network"""
        for socket, wanted in (("inet:8890@127.0.0.1", "inet:127.0.0.1:8890"), ("inet6:8890@[::1]", "inet:[::1]:8890"), ("unix:/run/rcptguard.sock", "unix:/run/rcptguard.sock")):
            self.configure(socket)
            self.assertIn("+smtpd_milters = %s\n" % wanted, self.done(*self.arguments, "--dry-run"))

    def test_symbolic_link(self):
        real = os.path.join(self.folder, "real.cf")
        os.rename(self.main, real)
        os.symlink(real, self.main)
        self.done(*self.arguments, "--yes")
        self.assertTrue(os.path.islink(self.main))
        self.assertIn(self.ENTRY, self.read(real))

    def test_nothing_there(self):
        answer = self.ask("postfix", "--postfix-config", self.folder, "--yes")
        self.assertEqual(answer.code, review.WRONG)
        self.assertIn("main.cf: No such file or directory", answer.err)

    def test_not_root(self):
        # A copy of the program: a checkout may lie where root alone may look.
        copy = shutil.copy(review.PROGRAM, os.path.join(self.folder, "rcptguardq"))
        done = subprocess.run([copy, "setup", "-c", self.config, *self.arguments, "--yes"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              check=False, user=daemon.USER, env=daemon.environment())
        self.assertEqual((done.returncode, done.stdout), (review.FORBIDDEN, b""), done)
        self.assertEqual(self.backups(self.main), [])

    def test_usage(self):
        for arguments in ([], ["exim"], ["postfix", "sendmail"], ["postfix", "--dry-run", "--yes"], ["sendmail", "--reload"], ["postfix", "--sendmail-mc", "x"],
                          ["postfix", "--is-used", "--undo"]):
            self.assertEqual(self.ask(*arguments).code, review.USAGE, arguments)

    def ask_on_a_terminal(self, answer, *options):
        """Exit code, and all that was shown."""
        self.settle()

        def read(fd):
            try:
                return os.read(fd, 4096)
            except OSError:
                return b""
        pid, fd = pty.fork()
        if pid == 0:
            os.execve(review.PROGRAM, [review.PROGRAM, "setup", "-c", self.config, *self.arguments, *options], daemon.environment())
        text, asked = b"", False
        while data := read(fd):
            text += data
            if not asked and b"[y/N]" in text:  # which may come in two pieces
                asked = True
                os.write(fd, answer)
        os.close(fd)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), text

    def test_terminal(self):
        before = self.read(self.main)
        for answer in b"n\n", b"\n":
            self.assertAsked(self.ask_on_a_terminal(answer, "--anyway"))
            self.assertEqual(self.read(self.main), before)
        self.assertAsked(self.ask_on_a_terminal(b"y\n", "--anyway"))
        self.assertIn(self.ENTRY, self.read(self.main))

    def assertAsked(self, told):
        self.assertEqual(told[0], review.DONE, told)
        self.assertIn(b"Change it? [y/N]", told[1])

    def test_terminal_without_a_daemon(self):
        """nobody is asked for what would be refused"""
        os.mkdir(self.socket_folder)
        before = self.read(self.main)
        code, text = self.ask_on_a_terminal(b"y\n")
        self.assertEqual((code, self.read(self.main)), (review.WRONG, before), text)
        self.assertNotIn(b"Change it?", text)
        self.assertIn(b"start it first", text)


@unittest.skipUnless(daemon.ROOT, "edits what is root's")
class OnSendmail(SetupCase):
    def setUp(self):
        super().setUp()
        self.place = os.path.join(self.folder, "mail")
        os.mkdir(self.place)
        self.mc = daemon.write(os.path.join(self.place, "sendmail.mc"), _MC)
        self.arguments = ["sendmail", "--sendmail-mc", self.mc]
        self.line = "INPUT_MAIL_FILTER(`rcptguard', `S=unix:%s/rcptguard.sock, F=T, T=C:30s;S:30s;R:30s;E:5m')dnl\n" % self.socket_folder

    def filters(self):
        """InputMailFilters of the sendmail.cf that m4 makes of it."""
        text = sendmail.cf(self.read(self.mc)).decode()
        return re.search(r"(?m)^O InputMailFilters=(.*)$", text).group(1), re.findall(r"(?m)^X(\S+?),", text)

    def test_apply_and_undo(self):
        self.assertIn("+" + self.line, self.done(*self.arguments, "--dry-run"))
        self.assertEqual(self.read(self.mc), _MC)
        text = self.done(*self.arguments, "--yes")
        self.assertEqual(self.read(self.mc), _MC.replace("MAILER(`local')", self.line + "MAILER(`local')"))
        self.assertIn("next: make -C %s, or sendmailconfig; then restart Sendmail\n" % self.place, text)
        self.assertEqual(self.filters(), ("rcptguard", ["rcptguard"]))
        self.assertIn("nothing to do", self.done(*self.arguments, "--yes"))
        self.assertEqual(len(self.backups(self.mc)), 1)
        self.assertTrue(os.path.isdir(self.socket_folder))
        self.done(*self.arguments, "--undo", "--yes")
        self.assertEqual(self.read(self.mc), _MC)

    def build(self):
        daemon.write(os.path.join(self.place, "sendmail.cf"), sendmail.cf(self.read(self.mc)).decode())

    def test_no_daemon(self):
        self.assertEqual(self.ask_plainly(*self.arguments, "--yes").code, review.WRONG)
        self.assertEqual((self.read(self.mc), self.backups(self.mc)), (_MC, []))

    def test_is_used(self):
        """by the sendmail.cf in force, whatever sendmail.mc says"""
        self.build()
        self.assertEqual(self.used(), [])
        self.done(*self.arguments, "--yes")
        self.assertEqual(self.used(), [])
        self.build()
        self.assertEqual(self.used(), ["InputMailFilters"])
        self.done(*self.arguments, "--undo", "--yes")
        self.assertEqual(self.used(), ["InputMailFilters"])
        filter_of_a_daemon = "MAIL_FILTER(`rcptguard', `S=unix:%s/rcptguard.sock, F=T')dnl\nDAEMON_OPTIONS(`Name=MSA, Port=587, InputMailFilters=rcptguard')dnl\n" % self.socket_folder
        daemon.write(self.mc, _MC.replace("MAILER(`local')", filter_of_a_daemon + "MAILER(`local')"))
        self.build()
        self.assertEqual(self.used(), ["InputMailFilters of MSA"])

    def test_other_filters(self):
        other = "INPUT_MAIL_FILTER(`signer', `S=inet:8891@127.0.0.1')dnl\n"
        daemon.write(self.mc, _MC.replace("define(`confDOMAIN", other + "define(`confDOMAIN"))
        self.done(*self.arguments, "--yes")
        self.assertEqual(self.filters(), ("signer, rcptguard", ["signer", "rcptguard"]))
        self.assertIn(other + self.line, self.read(self.mc))

    def test_filters_with_an_order(self):
        other = "MAIL_FILTER(`signer', `S=inet:8891@127.0.0.1')dnl\ndefine(`confINPUT_MAIL_FILTERS', `signer')dnl\n"
        daemon.write(self.mc, _MC.replace("MAILER(`local')", other + "MAILER(`local')"))
        self.done(*self.arguments, "--yes")
        self.assertEqual(self.filters(), ("signer, rcptguard", ["signer", "rcptguard"]))

    def test_another_socket(self):
        """the filter of that name had another socket before: it is that line that changes"""
        before = _MC.replace("MAILER(`local')", "INPUT_MAIL_FILTER(`rcptguard', `S=unix:/run/old/rcptguard.sock, F=T')dnl\nMAILER(`local')")
        daemon.write(self.mc, before)
        self.done(*self.arguments, "--yes")
        self.assertEqual(self.read(self.mc), _MC.replace("MAILER(`local')", self.line + "MAILER(`local')"))
        self.done(*self.arguments, "--undo", "--yes")
        self.assertEqual(self.read(self.mc), _MC)  # and not back to a socket where nobody is

    def test_undo_keeps_what_others_changed(self):
        self.done(*self.arguments, "--yes")
        daemon.write(self.mc, self.read(self.mc).replace("mail.me.example", "other.me.example"))
        self.done(*self.arguments, "--undo", "--yes")
        self.assertEqual(self.read(self.mc), _MC.replace("mail.me.example", "other.me.example"))


@unittest.skipUnless(daemon.ROOT, "makes an /etc of its own")
class DefaultSocket(SetupCase):
    """Without a key it is in Postfix's chroot; where Sendmail is alone, where Sendmail connects to it."""

    def shown(self, *commands):
        """What setup would write into sendmail.mc, on a host that the commands make."""
        daemon.write(self.config, "")
        mc = daemon.write(os.path.join(self.folder, "sendmail.mc"), _MC)
        script = "set -e; mount -t tmpfs tmpfs %s; cd %s; mkdir upper work; mount -t overlay overlay -o lowerdir=/etc,upperdir=upper,workdir=work /etc; %s; exec \"$@\"" % (
            self.queue, self.queue, "; ".join(("rm -rf /etc/mail", "mkdir /etc/mail") + commands))
        done = subprocess.run(["unshare", "--mount", "--propagation", "unchanged", "sh", "-c", script, "sh", review.PROGRAM, "setup", "-c", self.config, "sendmail", "--sendmail-mc", mc],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=daemon.LIMIT, check=False, env=daemon.environment())
        self.assertEqual(done.returncode, 0, done.stdout)
        return re.search(r"(?m)^\+INPUT_MAIL_FILTER\(`rcptguard', `S=([^,]*),", done.stdout.decode()).group(1)

    def test_which(self):
        inside, outside = "unix:/var/spool/postfix/rcptguard/rcptguard.sock", "unix:/run/rcptguard/rcptguard.sock"
        cf, alone = "touch /etc/mail/sendmail.cf", "mount --bind /dev/null /usr/sbin/postconf"
        self.assertEqual([self.shown("true"), self.shown(cf), self.shown(alone), self.shown(cf, alone)], [inside, inside, inside, outside])


@unittest.skipUnless(daemon.ROOT, "an MTA starts as root only")
class EndToEnd(unittest.TestCase):
    """An MTA without milters lets a wide Cc pass; with setup it is refused; after undo it passes."""

    def test_postfix(self):
        with postfix.Postfix() as server:
            socket = "unix:" + os.path.join(server.socket_directory, "rcptguard.sock")
            with daemon.Daemon(policies.FIELD, socket=socket) as guard:
                config = doctorcase.configuration(os.path.join(server.root, "rcptguard.conf"), guard, **server.review_keys())
                self.assertEqual(self.send(server).code, 250)
                self.assertRegex(self.setup(config, "postfix", "--yes", "--reload"),
                                 r"\nnow: (postfix -c .* reload); Postfix reads its configuration when that has not been written for two seconds\ndone: \1\n$")
                self.wait_for(server, 550)
                self.setup(config, "postfix", "--undo", "--yes", "--reload")
                self.wait_for(server, 250)

    def test_sendmail(self):
        """the same, by what setup says is next"""
        with sendmail.Sendmail() as server:
            socket = "unix:" + os.path.join(server.root, "guard", "rcptguard.sock")
            before, cf_before = self.read(server.mc), self.settings(server)
            config = daemon.write_config(os.path.join(server.root, "rcptguard.conf"), {("milter", "socket"): socket, ("milter", "user"): daemon.USER})
            arguments = "sendmail", "--sendmail-mc", server.mc
            self.assertEqual(self.send(server).code, 250)

            self.setup(config, *arguments, "--dry-run")
            self.assertEqual((self.read(server.mc), glob.glob(server.mc + ".*"), os.path.exists(os.path.dirname(socket[5:]))), (before, [], False))

            with self.assertRaises(subprocess.CalledProcessError):  # it makes the folder, and no more: no daemon answers yet
                self.setup(config, *arguments, "--yes")
            self.assertEqual((self.read(server.mc), os.path.exists(os.path.dirname(socket[5:]))), (before, True))
            with daemon.Daemon(policies.FIELD, socket=socket):
                self.follow(server, self.setup(config, *arguments, "--yes"))
                self.wait_for(server, 550)
                self.assertEqual(self.send(server, 5).code, 250)
                after, backup = self.read(server.mc), glob.glob(server.mc + ".*")
                self.assertEqual((len(backup), self.read(backup[0])), (1, before))
                self.assertIn("nothing to do", self.setup(config, *arguments, "--yes"))
                self.assertEqual((self.read(server.mc), glob.glob(server.mc + ".*")), (after, backup))

                self.follow(server, self.setup(config, *arguments, "--undo", "--yes"))
                self.wait_for(server, 250)
            self.assertEqual((self.read(server.mc), self.settings(server)), (before, cf_before))
            self.assertEqual(self.send(server).code, 250)  # the daemon is gone, and nothing asks for it
            self.assertIn("nothing to do", self.setup(config, *arguments, "--undo", "--yes"))

    def test_content_filter(self):
        """what was released comes back from the filter and is held again, and says so; after setup it is delivered"""
        policy = policies.policy(outbound='outbound when local or authenticated or client in "127.0.0.0/8"')
        with postfix.Postfix(milter="unix") as server, server.guard(policy) as guard:
            config = doctorcase.configuration(os.path.join(server.root, "rcptguard.conf"), guard, **server.review_keys())
            first = self.hold(server)
            self.ask("release", config, "--reason", "ok", first)
            daemon.wait_until(lambda: [one for one in server.held() if one != first], mta.LIMIT, "the second hold")
            second, = server.held()
            self.assertRegex(self.ask("show", config, second), r"\nSeen before +a message with this Message-ID, which anybody can copy:\n +%s, released by root, \d{4}-" % first)
            self.assertEqual(json.loads(self.ask("show", config, "--json", second))["released_before"], first)

            before = server.serving()
            self.setup(config, "postfix", "--postfix-config", os.path.join(server.root, "etc"), "--yes", "--reload")
            server.wait_ended(before)
            self.ask("release", config, "--reason", "ok", second)
            server.wait_gone(second)
            daemon.wait_until(lambda: self.gone(server), mta.LIMIT, lambda: server.queue())
            third = self.hold(server)
            self.assertIsNone(json.loads(self.ask("show", config, "--json", third))["released_before"])
            self.ask("release", config, "--reason", "ok", third)
            daemon.wait_until(lambda: self.gone(server), mta.LIMIT, lambda: server.queue())
            self.assertEqual([sorted(one.recipients) for one in server.deliveries()], 2 * [sorted(mta.customers(12))])

    @staticmethod
    def gone(server):
        """Nothing is on its way or on hold; one look may miss what is moved meanwhile."""
        return not server.queue() and not server.queue()

    @staticmethod
    def hold(server):
        recipients = mta.customers(12)
        reply = server.send("filtered", "care@me.example", recipients, mta.message(server.new_subject(), "care@me.example", cc=recipients))
        daemon.wait_until(lambda: reply.queue_id in server.held(), mta.LIMIT, "the hold")
        return reply.queue_id

    @staticmethod
    def ask(command, config, *arguments):
        done = subprocess.run([review.PROGRAM, command, "-c", config, *arguments], check=True, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, env=daemon.environment())
        return done.stdout.decode()

    @staticmethod
    def read(path):
        with open(path, "rb") as file:
            return file.read()

    @staticmethod
    def settings(server):
        """sendmail.cf without its comments, which say when it was made."""
        with open(os.path.join(server.root, "sendmail.cf"), encoding="utf-8", errors="surrogateescape") as file:
            return [line for line in file if not line.startswith("#")]

    def follow(self, server, text):
        """next: make -C FOLDER, or sendmailconfig; then restart Sendmail"""
        command, = re.findall(r"(?m)^next: (make -C \S+), or sendmailconfig; then restart Sendmail$", text)
        subprocess.run(command.split(), check=True, stdout=subprocess.PIPE)
        server.restart()

    @staticmethod
    def setup(config, *arguments):
        """What it says; before it waits for Postfix, it says that it does."""
        done = subprocess.run([review.PROGRAM, "setup", "-c", config, *arguments], check=True, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, env=daemon.environment())
        return done.stdout.decode()

    @staticmethod
    def send(server, count=60):
        """A wide Cc.  While it restarts nobody answers."""
        recipients = mta.customers(count)
        try:
            return server.send("plain", "care@me.example", recipients, mta.message(server.new_subject(), "care@me.example", cc=recipients))
        except OSError as failure:
            return mta.Reply("connect", 0, str(failure))

    def wait_for(self, server, code):
        """A reload takes hold when the processes that serve have ended."""
        seen = []

        def answered():
            seen.append(self.send(server).code)
            return seen[-1] == code
        daemon.wait_until(answered, daemon.LIMIT, lambda: "%d, not %s" % (code, seen))


if __name__ == "__main__":
    surroundings.enter()
    tap.main(240)
