"""Two instances of Postfix, each with a rcptguardd: what one holds, keeps and decides is none of the other's business."""

import os
import pathlib
import pwd
import re
import subprocess

import daemon
import instances
import ledgerfile
import mta
import mtacase
import review

SUDOERS = os.path.join(daemon.SOURCE, "packaging", "sudoers", "rcptguard")
OUT = ["--instance", instances.NAME_OUT]

# A user that every system has, in the group of reviewers.
ANN, GROUP = "games", "rcptguard-review"


class Apart(instances.PairCase):
    """`guard` is the daemon of rcptguard.conf, `guard_out` that of postfix-out.conf."""

    @classmethod
    def setUpClass(cls):
        with open("/etc/hosts", "a", encoding="ascii") as hosts:
            hosts.write("127.0.0.1 mail.me.example\n")  # sudo asks
        subprocess.run(["groupadd", "--system", "--force", GROUP], check=True)
        subprocess.run(["usermod", "--append", "--groups", GROUP, ANN], check=True)
        os.makedirs(instances.FOLDER, exist_ok=True)
        cls.guards = []
        cls.pair = instances.Pair(apart=True)
        cls.mta = cls.pair.first
        try:
            cls.guard = cls.start(cls.pair.first, instances.CONFIG)
            cls.guard_out = cls.start(cls.pair.out, os.path.join(instances.FOLDER, instances.NAME_OUT + ".conf"))
            cls.program = review.copy_program(cls.guard.directory)
        except BaseException:
            cls.tearDownClass()
            raise
        rule = pathlib.Path(SUDOERS).read_text(encoding="utf-8").replace("/usr/sbin/rcptguardq", cls.program)
        daemon.write("/etc/sudoers.d/rcptguard", rule, 0o440)

    @classmethod
    def start(cls, one, path, more=()):
        """A daemon with its own files.  Of the instance the policy, the key, Postfix's directory and the label are the defaults."""
        name = os.path.splitext(os.path.basename(path))[0]
        values = {("metrics", "path"): os.path.join(one.socket_directory, "rcptguard.prom"), ("review", "digest-to"): "desk@me.example", ("review", "mta"): "postfix", **dict(more)}
        if path != instances.CONFIG:
            daemon.write(os.path.join(instances.FOLDER, name + ".policy"), cls.POLICY)
            values["milter", "policy"] = None
        guard = daemon.Daemon(cls.POLICY, socket=one.socket, config=values, config_path=path)
        cls.guards.append(guard)
        return guard

    @classmethod
    def tearDownClass(cls):
        try:
            for guard in cls.guards:
                guard.__exit__(None, None, None)
        finally:
            cls.pair.close()

    def setUp(self):
        self.config_path = instances.CONFIG

    def command(self, name, *arguments, reason=None):
        return [review.PROGRAM, name, *(["--reason", reason] if reason is not None else []), *arguments]

    def ids(self, *arguments):
        return sorted(one["id"] for one in self.done("list", "--json", *arguments).json() if one["on_hold"])

    def run_as(self, login, *command):
        entry = pwd.getpwnam(login)
        done = subprocess.run(command, user=entry.pw_uid, group=entry.pw_gid, extra_groups=os.getgrouplist(login, entry.pw_gid), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=mta.LIMIT, check=False, cwd="/", env={"PATH": os.environ["PATH"], "LANG": "C"})
        return review.Answer(done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8"))

    def sudo(self, *arguments):
        return self.run_as(ANN, "sudo", "-n", self.program, *arguments)

    # ---- what is whose

    def test_apart(self):
        """each lists and decides what is its own, and knows nothing of the rest"""
        first, second = self.hold_in_each()
        self.assertEqual((self.ids(), self.ids(*OUT)), ([first.id], [second.id]))
        self.assertNotIn("instance", self.done("list", "--json", *OUT).json()[0])
        self.refused(review.WRONG, "is not known", "release", second.id, reason="ok")
        self.refused(review.WRONG, "is not known", "show", first.id, *OUT)
        self.assertEqual(self.done("release", second.id, *OUT, reason="ok").out, "%s: released\n" % second.id)
        self.assertArrivedAt(second)
        self.assertStays(first)
        for path, held in (self.guard.ledger_path, first), (self.guard_out.ledger_path, second):
            self.assertEqual([row["queue_id"] for row in ledgerfile.query(path, "SELECT queue_id FROM held WHERE queue_id IN (?, ?)", first.id, second.id)], [held.id])
        self.done("return", first.id, reason="ok")
        self.assertEqual(self.state(first.id), "returned")
        keys = sorted(name for name in os.listdir(instances.FOLDER) if name.endswith(".key"))
        self.assertEqual(keys, ["decision.key", "postfix-out.decision.key"])
        deleted = self.hold_in(self.pair.out)
        self.done("delete", deleted.id, *OUT, reason="ok")
        self.assertNotIn(deleted.id, self.pair.out.held())
        self.assertEqual((self.done("agent").out, self.done("agent", *OUT).out), ("", ""))

    def test_sudo(self):
        """a reviewer names an instance, and no file"""
        held = self.hold_in(self.pair.out)
        result = self.sudo("list", "--json", *OUT)
        self.assertEqual((result.code, [one["id"] for one in result.json() if one["on_hold"]]), (review.DONE, [held.id]), result)
        self.assertEqual(self.sudo("release", *OUT, "--reason", "ok", held.id).out, "%s: released\n" % held.id)
        self.assertArrivedAt(held)
        self.assertEqual(ledgerfile.query(self.guard_out.ledger_path, "SELECT who FROM held WHERE queue_id = ?", held.id)[0]["who"], ANN)
        path = os.path.join(instances.FOLDER, instances.NAME_OUT + ".conf")
        answer = self.sudo("list", "-c", path)
        self.assertEqual((answer.code, answer.err), (review.FORBIDDEN, "rcptguardq: not permitted: -c goes with root itself, not with sudo\n"))
        # Whatever is not root's alone is nobody's configuration.
        other = os.path.join(instances.FOLDER, "other.conf")
        daemon.write(other, pathlib.Path(path).read_bytes())
        daemon.own(other, ANN)
        self.assertNotAllowed("other", "is not root's alone to write")
        daemon.own(other, "root")
        os.chmod(other, 0o664)
        self.assertNotAllowed("other", "is not root's alone to write")
        os.unlink(other)
        os.symlink(path, other)
        self.assertNotAllowed("other", "is no regular file")
        os.unlink(other)
        self.assertNotAllowed("other", "No such file or directory")
        os.chmod(instances.FOLDER, 0o777)
        try:
            self.assertNotAllowed(instances.NAME_OUT, "is not root's alone to write")
        finally:
            os.chmod(instances.FOLDER, 0o755)

    def assertNotAllowed(self, name, words):
        answer = self.sudo("list", "--instance", name)
        self.assertEqual((answer.code, answer.out), (review.WRONG, ""), answer)
        self.assertIn(words, answer.err)

    def test_names(self):
        """a name is no path"""
        for name in "../postfix-out", "a/b", "", ".hidden", "-x", "a b", "rcptguard", "x" * 64:
            self.refused(review.USAGE, "--instance: expected at most 63 letters, ", "list", "--instance=" + name)
        self.refused(review.USAGE, "do not go together", "list", "-c", instances.CONFIG, *OUT)

    # ---- what each is called

    def test_metrics(self):
        """the figures of the instance have its name as a label"""
        self.hold_in_each()
        for guard, label in (self.guard, None), (self.guard_out, instances.NAME_OUT):
            one = self.pair.first if guard is self.guard else self.pair.out
            path = os.path.join(one.socket_directory, "rcptguard.prom")
            daemon.wait_until(lambda path=path: os.path.exists(path), what="the metrics")
            samples = [line for line in pathlib.Path(path).read_text().splitlines() if not line.startswith("#")]
            self.assertGreater(len(samples), 10)
            for sample in samples:
                self.assertEqual(re.findall(r'instance="([^"]*)"', sample), [label] if label else [])

    def test_mails(self):
        """what people are to type names the instance"""
        held = self.hold_in(self.pair.out)
        text = self.done("digest", "--print", *OUT).out
        self.assertIn(held.id, text)
        self.assertIn("sudo rcptguardq show --instance postfix-out ID\n", text)
        self.done("digest", *OUT)
        daemon.wait_until(lambda: [mail for mail in self.pair.out.deliveries() if mail.recipients == ["desk@me.example"]], mta.LIMIT, "the digest")

    def test_restart(self):
        """one daemon is away: the other's mail is judged as ever; then it takes up where it was"""
        held = self.hold_in(self.pair.out)
        self.assertEqual(self.done("reload", *OUT).out, "reloaded\n")
        before = self.guard_out
        before.stop()
        other = self.hold_in(self.pair.first)
        subject, text = self.message(cc=review.WIDE)
        self.assertEqual(self.pair.out.send("plain", mtacase.SENDER, review.WIDE, text).code, 451, subject)
        self.refused(review.WRONG, "no rcptguardd", "reload", *OUT)
        type(self).guard_out = self.start(self.pair.out, before.config_path, {("ledger", "path"): before.ledger_path})
        again = self.hold_in(self.pair.out)
        self.assertEqual((self.ids(), self.ids(*OUT)), ([other.id], sorted((held.id, again.id))))
        self.done("release", held.id, *OUT, reason="ok")
        self.assertArrivedAt(held)

    # ---- setup and doctor

    def findings(self, check, *arguments):
        return [one for one in self.ask("doctor", "--json", *arguments).json() if one["check"] == check]

    def test_doctor(self):
        """of each the own Postfix, the own socket; and that they share nothing"""
        for arguments, name in ([], instances.ETC), (OUT, instances.ETC_OUT):
            found = {one["check"]: one for one in self.ask("doctor", "--json", *arguments).json()}
            for check in "queue", "smtpd-milters", "non-smtpd-milters", "separate", "instances", "running", "answer", "policy", "reach":
                self.assertEqual(found[check]["severity"], "ok", found[check])
            self.assertIn("shares nothing with 1 other", found["separate"]["text"])
        self.assertEqual(self.findings("mta", *OUT)[0]["text"], "Postfix, " + instances.ETC_OUT)
        third = daemon.write_config(os.path.join(instances.FOLDER, "third.conf"), {("milter", "socket"): self.pair.out.socket, ("ledger", "path"): self.guard_out.ledger_path})
        try:
            found = self.findings("separate", *OUT)
            self.assertEqual(sorted(one["text"].partition(" is that of ")[0] for one in found), ["the file of [state]", "the ledger", "the socket"])
            self.assertEqual({one["severity"] for one in found}, {"error"})
            self.assertEqual(self.findings("separate")[0]["severity"], "ok")
        finally:
            os.unlink(third)

    def test_setup(self):
        """setup is of the instance's Postfix"""
        subprocess.run(["postconf", "-c", instances.ETC_OUT, "-X", "smtpd_milters", "non_smtpd_milters"], check=True)
        daemon.settle(os.path.join(instances.ETC_OUT, "main.cf"))
        try:
            dry = self.done("setup", "postfix", "--dry-run", *OUT).out
            self.assertIn("+++ %s/main.cf" % instances.ETC_OUT, dry)
            self.assertNotIn("instance=", dry)
            self.assertNotIn("%s/" % instances.ETC, dry)
        finally:
            self.done("setup", "postfix", "--yes", *OUT)
            daemon.settle(os.path.join(instances.ETC_OUT, "main.cf"))
            self.pair.out.reload()
        held = self.hold_in(self.pair.out)
        self.assertEqual(self.ids(*OUT), [held.id])


class Relay(review.ReviewCase):
    """An instance of rcptguard in front of a Sendmail, whose configuration is a file."""

    MTAS = ("sendmail",)

    @classmethod
    def setUpClass(cls):
        os.makedirs(instances.FOLDER, exist_ok=True)
        cls.mta = mtacase.MTAS[cls.MTA](milter=cls.SOCKET)
        try:
            keys = {("review", key): value for key, value in cls.mta.review_keys().items()}
            cls.guard = cls.mta.guard(cls.POLICY, config=keys, config_path=os.path.join(instances.FOLDER, "relay.conf"))
        except BaseException:
            cls.mta.close()
            raise

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        os.unlink(os.path.join(instances.FOLDER, "relay.conf"))

    def setUp(self):
        """Its configuration is the daemon's own."""

    def command(self, name, *arguments, reason=None):
        return [review.PROGRAM, name, "--instance", "relay", *(["--reason", reason] if reason is not None else []), *arguments]

    def test_decided(self):
        """held, listed, released, returned and deleted by its name"""
        held = [self.hold() for _ in range(3)]
        self.assertEqual(set(self.listed()), {one.id for one in held})
        self.done("release", held[0].id, reason="ok")
        self.assertArrived(held[0])
        self.done("return", held[1].id, reason="ok")
        self.done("delete", held[2].id, reason="ok")
        self.assertEqual([self.state(one.id) for one in held], ["released", "returned", "deleted"])
        found = {one["check"]: one for one in self.ask("doctor", "--json").json()}
        self.assertEqual((found["queue"]["severity"], found["separate"]["severity"]), ("ok", "ok"))


if __name__ == "__main__":
    instances.main()
