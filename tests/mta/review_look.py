"""Who looks at recipients' addresses, or at a whole message, leaves a line in the history first; without it nothing is shown."""

import functools
import os
import pathlib
import pwd
import re
import shutil
import subprocess

import daemon
import devlog
import ledgerfile
import mta
import mtacase
import policies
import review
import screen
import surroundings

GROUP = "rcptguard-review"
REVIEWER = "rcptguard-lena"

# Each way to look with `show`, what it records, and a word that is shown then alone.
WAYS = ((("--recipients",), ["recipients"], "c1@cust1.example"), (("--message",), ["message"], "\nHello."), (("--raw",), ["message"], "\nHello."),
        (("--recipients", "--message"), ["recipients", "message"], "c1@cust1.example"), (("--recipients", "--text"), ["recipients"], "c1@cust1.example"),
        (("--json", "--recipients"), ["recipients"], "c1@cust1.example"), (("--json", "--message", "--recipients"), ["recipients", "message"], "c1@cust1.example"),
        (("--json", "--message"), ["message"], "Hello."))

FREE = ((), ("--parties",), ("--text",), ("--json",), ("--json", "--text", "--parties"))


def looks(*details, who="root"):
    return [(who, "look", None, detail) for detail in details]


class Look(review.ReviewCase):
    POLICY = policies.policy()
    EXTRA = {"postfix": "header_checks = regexp:{{/^X-Hold:/ HOLD}}\n",
             "sendmail": "LOCAL_RULESETS\nHX-Hold: $>CheckHold\nSCheckHold\nR$*\t$#error $@ quarantine $: by somebody else\n"}

    def untracked(self):
        """Something else puts a message on hold."""
        reply = self.mta.send("plain", mtacase.SENDER, ["one@x.example"], mta.message(self.mta.new_subject(), mtacase.SENDER, ["one@x.example"], headers=[("X-Hold", "yes")]))
        daemon.wait_until(lambda: reply.queue_id in self.mta.held(), mta.LIMIT, "the hold of %s" % reply.queue_id)
        return reply.queue_id

    # ---- show

    def test_show(self):
        """each time a line, with the time and the way; not for what names nobody"""
        held = self.hold()
        for arguments in FREE:
            self.assertNotIn("@cust1.example", self.done("show", *arguments, held.id).out)
        self.assertEqual(self.events(held.id), [])
        wanted = []
        for arguments, details, words in WAYS:
            with self.subTest(arguments):
                self.assertIn(words, self.done("show", *arguments, held.id).out)
                wanted += looks(*details)
                self.assertEqual(self.events(held.id), wanted)
        self.done("show", "--recipients", held.id)
        self.assertEqual(self.events(held.id), wanted + looks("recipients"))
        self.assertEqual(review.decisions(held.id), [], "the history is enough")
        first = self.done("log", "--json", held.id).json()[0]
        self.assertEqual({key: first[key] for key in ("id", "who", "action", "reason", "detail", "way")},
                         {"id": held.id, "who": "root", "action": "look", "reason": None, "detail": "recipients", "way": "command"})
        self.assertRegex(self.done("log", held.id).out.splitlines()[1], r" %s +root +look +message$" % held.id)

    def test_nothing_to_see(self):
        """what is gone is not shown, so nobody looked; and nobody looks with a wrong command line"""
        held = self.hold()
        self.refused(review.USAGE, "--raw prints the message alone", "show", "--raw", "--recipients", held.id)
        self.assertEqual(self.on_terminal("show", "--raw", held.id)[0], review.USAGE)
        self.done("delete", held.id, reason="x")
        for arguments in ("--recipients",), ("--message",), ("--raw",):
            self.refused(review.GONE, "on hold no longer", "show", *arguments, held.id)
        self.assertEqual([event[1] for event in self.events(held.id)], ["delete"])

    def test_readers(self):
        """what else reads the history takes no look for a decision"""
        held = self.hold()
        self.done("show", "--recipients", "--message", held.id)
        self.assertEqual(self.listed()[held.id]["state"], "held")
        counts, = self.done("counts", "--json").json()
        self.assertEqual([sum(hour[key] for hour in counts["hours"]) for key in ("released", "returned", "deleted", "expired")],
                         [len(ledgerfile.query(self.guard.ledger_path, "SELECT 1 FROM history WHERE action = ?", action)) for action in ("release", "return", "delete")] + [0])
        self.done("release", held.id, reason="fine")
        self.assertArrived(held)
        found, = self.done("show", "--json", held.id).json()
        self.assertEqual([(each["action"], each["state"]) for each in found["decisions"]], [("release", "done")])
        self.assertEqual(self.events(held.id), looks("recipients", "message") + [("root", "release", "fine", None)])

    # ---- it cannot be recorded

    def assertHidden(self, held, code, words, **options):
        """None of the ways shows anything, and all say why."""
        for arguments, _details, _words in WAYS:
            with self.subTest(arguments):
                result = self.refused(code, words, "show", *arguments, held.id, **options)
                self.assertEqual(result.out, "")

    def test_locked(self):
        """another process writes into the ledger and does not end; what names nobody is shown all the same"""
        held = self.hold()
        self.done("list")
        with ledgerfile.locked(self.guard.ledger_path):
            self.assertHidden(held, review.PASSING, "database is locked")
            for arguments in FREE:
                self.assertEqual(self.ask("show", *arguments, held.id).code, review.DONE)
        self.assertEqual(self.events(held.id), [])
        self.done("show", "--recipients", held.id)

    def test_full(self):
        """the disk of the ledger is full: of two lines none is written"""
        held = self.hold()
        self.done("list")
        folder = daemon.temporary_directory()
        self.addCleanup(shutil.rmtree, folder, True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k,mode=700", "tmpfs", folder], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", folder], check=True)
        daemon.own(folder)
        before = self.use_copy(os.path.join(folder, "ledger.db"))
        try:
            self.done("list")
            reader = ledgerfile.connect(os.path.join(folder, "ledger.db"))  # like the daemon: its files stay what they are
            self.addCleanup(reader.close)
            reader.execute("SELECT count(*) FROM held").fetchall()
            with open(os.path.join(folder, "filler"), "wb", buffering=0) as filler:
                try:
                    while filler.write(b"\0" * 1024):
                        pass
                except OSError:
                    pass
            count = 0
            result = self.ask("show", "--raw", held.id)
            while result.code == review.DONE and count < 2000:  # until what is free inside of the ledger's own files is used up
                count += 1
                result = self.ask("show", "--raw", held.id)
            self.assertEqual((result.code, result.out), (review.PASSING, ""), result)
            self.assertHidden(held, review.PASSING, "full")
            self.assertEqual(self.ask("show", held.id).code, review.DONE)
            os.unlink(os.path.join(folder, "filler"))
            self.assertEqual(self.events(held.id), looks(*["message"] * count))
            self.assertIn("Hello.", self.done("show", "--raw", held.id).out)
        finally:
            type(self).guard.ledger_path = before

    def use_copy(self, path):
        """From here on a copy of the ledger is the ledger.  Gives the path of the real one."""
        before = self.guard.ledger_path
        ledgerfile.copy(before, path)
        type(self).guard.ledger_path = path
        self.configure()
        return before

    def test_read_only(self):
        """the file system of the ledger can only be read"""
        held = self.hold()
        self.done("list")
        script = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
        for arguments, _details, _words in WAYS:
            with self.subTest(arguments):
                done = subprocess.run(["unshare", "--mount", "--propagation", "unchanged", "sh", "-c", script, os.path.dirname(self.guard.ledger_path), *self.command("show", *arguments, held.id)],
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=mta.LIMIT, check=False, env=daemon.environment())
                self.assertEqual((done.returncode, done.stdout), (review.WRONG, b""), done)
                self.assertRegex(done.stderr.decode(), "ledger.db: .*(Read-only|readonly|read-only)")
        self.assertEqual(self.events(held.id), [])

    def test_away(self):
        """there is no ledger"""
        held = self.hold()
        self.done("list")
        before = self.guard.ledger_path
        type(self).guard.ledger_path = os.path.join(os.path.dirname(before), "nowhere.db")
        try:
            self.configure()
            for arguments, _details, _words in WAYS:
                result = self.refused(review.WRONG, "nowhere.db", "show", *arguments, held.id)
                self.assertEqual(result.out, "")
        finally:
            type(self).guard.ledger_path = before

    # ---- what the ledger does not know

    def test_untracked(self):
        """there is no history to write in: the log has the line, and no recipient"""
        queue_id = self.untracked()
        for arguments in FREE:
            self.done("show", *arguments, queue_id)
        self.assertIn("one@x.example", self.done("show", "--recipients", queue_id).out)
        self.assertIn("Hello.", self.done("show", "--raw", queue_id).out)
        self.done("show", "--json", "--recipients", "--message", queue_id)
        line = 'look by=root uid=%d requeued=- rule=- sender=%s msgid=- reason="%%s"' % (os.geteuid(), mtacase.SENDER)
        self.assertLogged(queue_id, line % "recipients", line % "message", line % "recipients", line % "message")
        self.assertEqual([one for one in devlog.lines() if "one@x.example" in one and " rcptguardq[" in one], [])
        self.assertEqual(self.done("log").out.count(queue_id), 0)

    # ---- who it was

    def test_person(self):
        """under sudo it is the reviewer"""
        person = make_reviewer()
        target = installed()
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy(self.config_path, target)
        program = review.copy_program(self.guard.directory)
        rule = pathlib.Path(daemon.SOURCE, "packaging", "sudoers", "rcptguard").read_text(encoding="utf-8")
        daemon.write("/etc/sudoers.d/rcptguard", rule.replace("/usr/sbin/rcptguardq", program), 0o440)
        held, other = self.hold(), self.untracked()
        for queue_id in held.id, other:
            for arguments in ("--recipients",), ("--raw",):
                done = subprocess.run(["sudo", "-n", program, "show", *arguments, queue_id], user=person.pw_uid, group=person.pw_gid, extra_groups=os.getgrouplist(REVIEWER, person.pw_gid),
                                      stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=mta.LIMIT, check=False, cwd="/",
                                      env={"PATH": os.environ["PATH"], "LANG": "C"})
                self.assertEqual((done.returncode, done.stderr), (0, b""), done)
        self.assertEqual(self.events(held.id), looks("recipients", "message", who=REVIEWER))
        uid, = {each["uid"] for each in ledgerfile.query(self.guard.ledger_path, "SELECT history.uid FROM history WHERE who = ?", REVIEWER)}
        self.assertEqual(uid, person.pw_uid)
        line = 'look by=%s uid=%d .* reason="%%s"' % (REVIEWER, person.pw_uid)
        self.assertLogged(other, line % "recipients", line % "message")

    # ---- review

    def start(self, **options):
        terminal = screen.Screen(self.command("review"), **options)
        self.addCleanup(terminal.__exit__)
        return terminal

    def test_keys(self):
        """a line for each page with addresses that is turned to; none for scrolling, another size and other pages"""
        held, other = self.hold(people=policies.people(45)), self.hold()
        terminal = self.start(lines=15)
        terminal.wait_for("1 of 2  %s" % held.id)
        terminal.keys("m")
        terminal.wait_for("Message-ID")
        terminal.keys("v")
        terminal.wait_for("Hello.")
        self.assertEqual(self.events(held.id), [])
        terminal.keys("a")
        terminal.wait_for("c1@cust1.example")
        self.assertEqual(self.events(held.id), looks("recipients"))
        terminal.keys("PageDown")
        terminal.wait_for("lines 12 to 22 of ")
        terminal.resize(70, 18)
        terminal.wait_for("lines 12 to 25 of ")
        terminal.keys("r")
        terminal.wait_for("Reason to ")
        terminal.keys("Escape")
        terminal.wait_for("nothing was done")
        self.assertIn("@cust", terminal.text())
        self.assertEqual(self.events(held.id), looks("recipients"))
        terminal.keys("V")
        terminal.wait_for("Received: ")
        self.assertEqual(self.events(held.id), looks("recipients", "message"))
        terminal.keys("V")
        terminal.wait_for("Held because")
        terminal.keys("V")
        terminal.wait_for("Received: ")
        self.assertEqual(self.events(held.id), looks("recipients", "message", "message"))
        terminal.keys("s")
        terminal.wait_for("2 of 2  %s" % other.id)
        terminal.keys("a")
        terminal.wait_for("c1@cust1.example")
        self.assertEqual((self.events(held.id), self.events(other.id)), (looks("recipients", "message", "message"), looks("recipients")))
        terminal.keys("q")
        self.assertEqual(terminal.wait_end(), review.DONE)

    def test_keys_without_record(self):
        """what cannot be recorded is not on the screen, but why; later it is"""
        held = self.hold()
        terminal = self.start()
        terminal.wait_for("1 of 1  %s" % held.id)
        terminal.wait_for("r release")
        with ledgerfile.locked(self.guard.ledger_path):
            for key, words in ("a", "c1@cust1.example"), ("V", "Received: "):
                terminal.keys(key)
                text = terminal.wait_for("ledger.db: database is locked")
                self.assertNotIn(words, text)
                terminal.keys(key)
                terminal.wait_for("Held because")
        self.assertEqual(self.events(held.id), [])
        terminal.keys("a")
        terminal.wait_for("c1@cust1.example")
        self.assertEqual(self.events(held.id), looks("recipients"))
        terminal.keys("q")
        self.assertEqual(terminal.wait_end(), review.DONE)


def installed():
    """The configuration that the program reads without -c."""
    done = subprocess.run([review.PROGRAM, "list", "--help"], stdout=subprocess.PIPE, check=True, env=daemon.environment())
    return re.search(r"The configuration \((/\S+)\)", done.stdout.decode()).group(1)


@functools.lru_cache(None)  # of these surroundings, whatever MTA is in them
def make_reviewer():
    with open("/etc/hosts", "a", encoding="ascii") as hosts:
        hosts.write("127.0.0.1 %s\n" % surroundings.HOST)  # sudo asks
    subprocess.run(["groupadd", "--system", "--force", GROUP], check=True)
    subprocess.run(["useradd", "--no-create-home", "--no-log-init", "--shell", "/bin/sh", "--groups", GROUP, REVIEWER], check=True)
    return pwd.getpwnam(REVIEWER)


def existing(path):
    while not os.path.isdir(path):
        path = os.path.dirname(path)
    return path


if __name__ == "__main__":
    review.main(180, sorted({"/etc", existing(os.path.dirname(os.path.dirname(installed())))}))
