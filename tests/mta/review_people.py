"""Who may review what: real users through a real sudo; and two of them where two are needed."""

import functools
import os
import pathlib
import pwd
import re
import shutil
import subprocess

import daemon
import ledgerfile
import mta
import policies
import review
import surroundings

SUDOERS = os.path.join(daemon.SOURCE, "packaging", "sudoers", "rcptguard")
GROUP = "rcptguard-review"

# Login and groups.  None of them is on this machine before, nor after: /etc is the test's own.
USERS = {"rcptguard-ann": (GROUP,), "rcptguard-bob": (GROUP,), "rcptguard-eve": (), "rcptguard-help": (GROUP, "rcptguard-desk"), "rcptguard-dora": ("helpdesk",)}
ANN, BOB, EVE, HELP, DORA = USERS

# What a login shell of Debian gives a user, and where the packages put the program.
PLAIN_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games"
PACKAGED = "/usr/sbin/rcptguardq"

IDENTITIES = """\
# who is who
%s: ann@me.example a.lee@me.example user:care
%s: bob@me.example
""" % (ANN, BOB)

RULES = """\
rule secret {
    when sender in "secret@me.example" and parties(external) >= 2
    quarantine "{parties} outside parties would see each other" approvals 2
}
""" + policies.RULES


def installed():
    """The configuration that the program reads without -c."""
    done = subprocess.run([review.PROGRAM, "list", "--help"], stdout=subprocess.PIPE, check=True, env=daemon.environment())
    return re.search(r"The configuration \((/\S+)\)", done.stdout.decode()).group(1)


def printed(name):
    """The examples of a manual page."""
    return re.findall(r"(?ms)^\.Bd [^\n]*\n(.*?)^\.Ed$", pathlib.Path(daemon.SOURCE, name).read_text(encoding="utf-8"))


def existing(path):
    while not os.path.isdir(path):
        path = os.path.dirname(path)
    return path


class People(review.ReviewCase):
    POLICY = policies.policy(rules=RULES)

    @classmethod
    def setUpClass(cls):
        cls.make_users()
        super().setUpClass()

    @staticmethod
    @functools.lru_cache(None)  # of these surroundings, whatever MTA is in them
    def make_users():
        with open("/etc/hosts", "a", encoding="ascii") as hosts:
            hosts.write("127.0.0.1 %s\n" % surroundings.HOST)  # sudo asks
        for group in sorted({group for groups in USERS.values() for group in groups}):
            subprocess.run(["groupadd", "--system", "--force", group], check=True)
        for login, groups in USERS.items():
            subprocess.run(["useradd", "--no-create-home", "--no-log-init", "--shell", "/bin/sh", "--groups", ",".join(groups), login], check=True)

    @classmethod
    def configure(cls, **keys):
        """The installed configuration, since sudo goes with that alone."""
        path = super().configure(identities=cls.write_identities(), **keys)
        target = installed()
        os.makedirs(os.path.dirname(target), exist_ok=True)
        daemon.write(target, pathlib.Path(path).read_bytes())
        cls.program = review.copy_program(cls.guard.directory)
        rule = pathlib.Path(SUDOERS).read_text(encoding="utf-8").replace("/usr/sbin/rcptguardq", cls.program)
        daemon.write("/etc/sudoers.d/rcptguard", rule, 0o440)
        return path

    @classmethod
    def write_identities(cls, text=IDENTITIES):
        return daemon.write(os.path.join(cls.guard.directory, "identities"), text)

    def run_as(self, login, *command, path=os.environ["PATH"]):
        """A person runs a command."""
        entry = pwd.getpwnam(login)
        done = subprocess.run(command, user=entry.pw_uid, group=entry.pw_gid, extra_groups=os.getgrouplist(login, entry.pw_gid), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=mta.LIMIT, check=False, cwd="/",
                              env={"PATH": path, "MAIL_CONFIG": "/nonexistent", "SUDO_UID": "0", "LANG": "C"})
        return review.Answer(done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8"))

    def sudo(self, login, *arguments, reason=None):
        return self.run_as(login, "sudo", "-n", self.program, *arguments, *(["--reason", reason] if reason is not None else []))

    def assertSaid(self, result, code, words):
        self.assertEqual(result.code, code, result)
        self.assertRegex(result.out + result.err, words)

    # ---- sudo

    def test_sudoers(self):
        """the packaged rule is sound, strictly read"""
        for path in SUDOERS, "/etc/sudoers.d/rcptguard":
            done = subprocess.run(["visudo", "--check", "--strict", "--file", path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
            self.assertEqual(done.returncode, 0, done.stdout)

    def test_sudo(self):
        """a member of the group reviews, and the record has the person's name"""
        held = self.hold(sender="gina@me.example")
        result = self.sudo(ANN, "list", "--json")
        self.assertEqual((result.code, result.json()[0]["id"]), (0, held.id), result)
        self.assertSaid(self.sudo(ANN, "show", "--recipients", held.id), 0, r"(?m)^Cc +%s$" % re.escape(held.recipients[0]))
        self.assertSaid(self.sudo(ANN, "release", held.id, reason="called her"), 0, "%s: released" % held.id)
        self.assertArrived(held)
        self.assertEqual(self.events(held.id), [(ANN, "look", None, "recipients"), (ANN, "release", "called her", None)])
        events = ledgerfile.query(self.guard.ledger_path, "SELECT history.uid FROM history JOIN held ON held.id = held WHERE queue_id = ?", held.id)
        self.assertEqual({event["uid"] for event in events}, {pwd.getpwnam(ANN).pw_uid})
        self.assertSaid(self.sudo(BOB, "release", held.id, reason="x"), review.GONE, "was released by %s" % ANN)

    def install(self, *more):
        """The program and the rules where the packages have them; more files of rules."""
        shutil.copy(self.program, PACKAGED)
        if os.path.exists(self.program + "-itself"):  # the script in its place names that
            shutil.copy(self.program + "-itself", PACKAGED + "-itself")
        daemon.write("/etc/sudoers.d/rcptguard", pathlib.Path(SUDOERS).read_bytes(), 0o440)
        for name, text in more:
            daemon.write(name, text, 0o440)
            self.addCleanup(os.unlink, name)

    def typed(self, login, line):
        """A person types a line in a shell of his own."""
        return self.run_as(login, "sh", "-c", line, path=PLAIN_PATH)

    def test_as_typed(self):
        """`sudo rcptguardq`, as every page and mail has it, is found though no user has sbin in his PATH"""
        held = self.hold(sender="gina@me.example")
        self.install()
        self.assertEqual(self.typed(ANN, "rcptguardq list").code, 127)
        self.assertSaid(self.typed(ANN, "sudo -n rcptguardq list"), 0, held.id)
        self.assertSaid(self.typed(ANN, "sudo -n rcptguardq show --text " + held.id), 0, "Hello.")
        self.assertSaid(self.typed(ANN, "sudo -n rcptguardq list --party %s | sudo -n rcptguardq release --yes --reason ok -" % held.recipients[0].partition("@")[2]), 0, "%s: released" % held.id)
        self.assertArrived(held)
        self.assertNotEqual(self.typed(EVE, "sudo -n rcptguardq list").code, 0)

    def test_help_desk(self):
        """the example of rcptguard.conf(5) as it is printed, with its line for sudo"""
        displays = printed("milter/common/rcptguard.conf.5")
        example, = [text for text in displays if text.startswith("[review]\napprovals = 2")]
        line, = [text for text in displays if text.startswith("%helpdesk")]
        self.assertIn(line, pathlib.Path(SUDOERS).read_text(encoding="utf-8").replace("#     ", ""))
        self.assertIn(line, printed("milter/rcptguardq/rcptguardq.8"))
        held = self.hold(sender="gina@me.example")
        keys = {key.replace("-", "_"): value for key, value in re.findall(r"(?m)^([\w-]+) = (.*)$", example)}
        self.assertEqual((keys.pop("identities"), keys.pop("notice")), ("reviewers", "notice.txt"))  # files beside it
        self.configure(**keys)
        self.install()
        self.assertNotEqual(self.typed(DORA, "sudo -n rcptguardq list").code, 0)
        self.install(("/etc/sudoers.d/rcptguard-helpdesk", line))
        self.assertSaid(self.typed(DORA, "sudo -n rcptguardq list"), 0, held.id)
        self.assertSaid(self.typed(DORA, "sudo -n rcptguardq show " + held.id), 0, "wide Cc")
        for name in "release", "return", "delete":
            self.assertSaid(self.typed(DORA, "sudo -n rcptguardq %s --reason x %s" % (name, held.id)), review.FORBIDDEN, r"`%s` is in no group that \[review\] lets %s" % (DORA, name))
        self.assertNotEqual(self.typed(DORA, "sudo -n id").code, 0)
        self.assertSaid(self.typed(ANN, "sudo -n rcptguardq release --reason x " + held.id), 0, "approved, 1 of 2")

    def test_nothing_but(self):
        """the rule grants this program alone, and not another configuration"""
        self.hold()
        for command in ((self.program, "list"), ("/bin/sh", "-c", "id"), ("postsuper", "-H", "ALL"), ("postqueue", "-j")):
            self.assertNotEqual(self.run_as(EVE, "sudo", "-n", *command).code, 0)
        for command in (("/bin/sh", "-c", "id"), ("postsuper", "-H", "ALL"), ("-u", "postfix", self.program, "list"), ("MAIL_CONFIG=/tmp", self.program, "list"),
                        ("-E", self.program, "list")):
            self.assertNotEqual(self.run_as(ANN, "sudo", "-n", *command).code, 0, command)
        for option in ("-c", "--config"):
            self.assertSaid(self.sudo(ANN, "list", option, self.config_path), review.FORBIDDEN, "-c goes with root itself, not with sudo")
        self.assertSaid(self.sudo(ANN, "list", "--config=" + self.config_path), review.FORBIDDEN, "-c goes with root itself")

    def test_groups(self):
        """[review] says which group may what; root may all"""
        held = self.hold(sender="gina@me.example")
        self.configure(list="rcptguard-desk, " + GROUP, show="rcptguard-desk", release=GROUP, **{"return": "rcptguard-desk", "delete": "none"})
        self.assertSaid(self.sudo(HELP, "show", held.id), 0, "on hold")
        self.assertSaid(self.sudo(ANN, "list"), 0, held.id)
        self.assertEqual(self.sudo(ANN, "log").code, 0)
        self.assertSaid(self.sudo(ANN, "show", held.id), review.FORBIDDEN, "not permitted: `%s` is in no group that \\[review\\] lets show" % ANN)
        self.assertSaid(self.sudo(ANN, "return", held.id, reason="x"), review.FORBIDDEN, "lets return")
        self.assertSaid(self.sudo(HELP, "delete", held.id, reason="x"), review.FORBIDDEN, "lets delete")
        self.assertSaid(self.sudo(ANN, "review"), review.FORBIDDEN, "lets review")
        for name in "digest", "notify":
            self.assertSaid(self.sudo(ANN, name), review.FORBIDDEN, "not permitted: %s is for root and for the daemon's user" % name)
        self.configure(list="none")
        self.assertSaid(self.sudo(ANN, "list"), review.FORBIDDEN, "lets list")
        self.assertSaid(self.sudo(ANN, "doctor"), review.FORBIDDEN, "lets doctor")
        self.done("delete", held.id, reason="x")

    # ---- what is said before a command is tried

    def assertMay(self, login, held, **wanted):
        """What show says that a person may, by the start of the reason why not, or None; and the commands say the same."""
        result = self.sudo(login, "show", "--json", held.id)
        self.assertEqual((result.code, result.err), (0, ""), result)
        shown, = result.json()
        may = {each["action"]: each for each in shown["may"]}
        self.assertEqual(list(may), ["release", "return", "delete"])
        for action, words in wanted.items():
            action = action.rstrip("_")
            with self.subTest(login=login, action=action):
                why = may[action]["why"]
                self.assertEqual((may[action]["allowed"], why is None), (words is None, words is None), may)
                said = self.sudo(login, action, "--dry-run", held.id, reason="x")
                if words is None:
                    self.assertEqual((said.code, said.err), (0, ""), said)
                    continue
                self.assertRegex(why, words)
                self.assertIn(said.err, ("%s: %s\n" % (held.id, why), "rcptguardq: %s\n" % why))
                # In earnest it is the same, and nothing was done.
                self.assertEqual(self.sudo(login, action, held.id, reason="x"), said)
                self.assertNotEqual(said.code, 0)

    def test_may_by_right(self):
        """each right by itself, as [review] has it"""
        held = self.hold(sender="gina@me.example")
        self.assertMay(ANN, held, release=None, return_=None, delete=None)
        self.configure(show=GROUP, release="rcptguard-desk", **{"return": GROUP, "delete": "none"})
        self.assertMay(ANN, held, release=r"^not permitted: `%s` is in no group that \[review\] lets release$" % ANN, return_=None, delete="lets delete$")
        self.assertMay(HELP, held, release=None, return_=None, delete="lets delete$")
        self.assertOnHold(held)

    def test_may_own(self):
        """one's own mail: no release, whoever has approved it; the rest as with any other"""
        for approvals in 1, 2:
            self.configure(approvals=approvals)
            held = self.hold(sender="A.Lee@me.example")
            self.assertMay(ANN, held, release="^is your own mail: another reviewer has to release it$", return_=None, delete=None)
            self.assertMay(BOB, held, release=None)
        self.assertSaid(self.sudo(BOB, "release", held.id, reason="fine"), 0, "approved, 1 of 2")
        self.assertMay(ANN, held, release="^is your own mail")

    def test_may_twice(self):
        """where two are needed, not the same one twice, and nobody without an identity"""
        self.configure(approvals=2)
        held = self.hold(sender="gina@me.example")
        self.assertMay(ANN, held, release=None)
        self.assertSaid(self.sudo(ANN, "release", held.id, reason="fine"), 0, "approved, 1 of 2")
        self.assertMay(ANN, held, release="^you have approved it already; it needs 2 reviewers", return_=None, delete=None)
        self.assertMay(BOB, held, release=None)
        self.assertMay(HELP, held, release="^needs 2 reviewers, and an approval of `%s` does not count" % HELP, return_=None)
        shown, = self.sudo(BOB, "show", "--json", held.id).json()
        self.assertEqual([(each["who"], each["action"], each["reason"], each["way"], each["state"], each["detail"]) for each in shown["decisions"]],
                         [(ANN, "approve", "fine", "command", "done", "approved, 1 of 2: it stays on hold until another reviewer releases it too")])
        self.assertSaid(self.sudo(BOB, "release", held.id, reason="me too"), 0, "released")
        shown, = self.sudo(ANN, "show", "--json", held.id).json()
        self.assertEqual([(each["who"], each["action"], each["state"]) for each in shown["decisions"]], [(ANN, "approve", "done"), (BOB, "release", "done")])

    def test_may_decided(self):
        """what is decided, or was never ours, is decided by nobody; without a sender it is not returned"""
        held = self.hold(sender="gina@me.example")
        self.assertSaid(self.sudo(ANN, "delete", held.id, reason="ok"), 0, "deleted")
        self.assertMay(BOB, held, **dict.fromkeys(("release", "return_", "delete"), "^was deleted by %s on " % ANN))
        gone = self.hold(sender="gina@me.example")
        self.assertSaid(self.sudo(ANN, "list"), 0, gone.id)
        self.mta.drop(gone.id)
        self.assertMay(BOB, gone, **dict.fromkeys(("release", "return_", "delete"), "^is on hold no longer: by hand"))

    def test_may_identities(self):
        """with identities that cannot be read nothing is decided; both say which line it is"""
        held = self.hold(sender="gina@me.example")
        self.write_identities("%s ann@me.example\n" % ANN)
        shown, = self.sudo(ANN, "show", "--json", held.id).json()
        for each in shown["may"]:
            said = self.sudo(ANN, each["action"], held.id, reason="x")
            self.assertEqual((said.code, each["allowed"], each["why"]), (review.WRONG, False, said.err.splitlines()[0].removeprefix("rcptguardq: ")))
        self.assertOnHold(held)

    def test_counts(self):
        """who may list may count, and nobody else; one who may only look is enough"""
        held = self.hold(sender="gina@me.example")
        self.configure(list="helpdesk", show="none", release="none", **{"return": "none", "delete": "none"})
        self.install(("/etc/sudoers.d/rcptguard-helpdesk", "%%helpdesk ALL = (root) NOPASSWD: %s\n" % self.program))
        result = self.sudo(DORA, "counts", "--json")
        self.assertEqual((result.code, result.err), (0, ""), result)
        counts, = result.json()
        self.assertGreaterEqual(counts["waiting"], 1)
        self.assertIn("wide-cc", [rule["rule"] for rule in counts["rules"]])
        self.assertSaid(self.sudo(DORA, "show", held.id), review.FORBIDDEN, "lets show")
        self.assertSaid(self.sudo(DORA, "counts", "--config", self.config_path), review.FORBIDDEN, "-c goes with root itself")
        self.configure()
        daemon.write("/etc/sudoers.d/rcptguard-helpdesk", "%%helpdesk ALL = (root) NOPASSWD: %s\n" % self.program, 0o440)
        for follow in (), ("--follow",):
            refused, listed = self.sudo(DORA, "counts", *follow), self.sudo(DORA, "list")
            self.assertEqual((refused.code, refused.out, refused.err), (review.FORBIDDEN, "", listed.err.replace("lets list", "lets counts")))
            self.assertEqual(listed.err, "rcptguardq: not permitted: `%s` is in no group that [review] lets list\n" % DORA)
            self.assertEqual(self.sudo(EVE, "counts", *follow).out, "")
            self.assertEqual(self.sudo(EVE, "counts", *follow), self.sudo(EVE, "list"))  # by sudo itself
            self.assertSaid(self.run_as(ANN, self.program, "counts", *follow), review.FORBIDDEN, "try `sudo rcptguardq`")

    def test_no_other_configuration_by_sudo(self):
        """root's commands would do what a person's own configuration says; setup is root's alone"""
        self.configure(list=GROUP)
        for option in ("--postfix-config", "/tmp"), ("--sendmail-config", "/tmp/sendmail.cf"), ("--mta", "sendmail"):
            self.assertSaid(self.sudo(ANN, "doctor", *option), review.FORBIDDEN, "goes with root itself")
        self.assertSaid(self.sudo(ANN, "setup", "postfix", "--yes"), review.FORBIDDEN, "setup is root's")

    def test_without_sudo(self):
        """without root nothing is shown, and the message says what to do"""
        self.hold()
        for name in ANN, EVE:
            self.assertSaid(self.run_as(name, self.program, "list"), review.FORBIDDEN, "not permitted: ")
        self.assertSaid(self.run_as(ANN, self.program, "list"), review.FORBIDDEN, "try `sudo rcptguardq`")
        self.assertSaid(self.run_as(EVE, self.program, "list"), review.FORBIDDEN, "is in no group")

    def test_surroundings(self):
        """when root runs it, neither PATH nor MAIL_CONFIG of the caller has a say"""
        held = self.hold()
        folder = daemon.temporary_directory()
        trap = daemon.write(os.path.join(folder, "postsuper"), "#!/bin/sh\ntouch %s/sprung\n" % folder, 0o755)
        for name in "postqueue", "postcat", "sendmail", "postconf":
            os.link(trap, os.path.join(folder, name))
        env = dict(daemon.environment(), PATH=folder + ":/usr/bin:/bin", MAIL_CONFIG=folder, SUDO_UID="")
        del env["SUDO_UID"]
        self.done("show", held.id, env=env)
        self.done("release", held.id, reason="ok", env=env)
        self.assertArrived(held)
        self.assertNotIn("sprung", os.listdir(folder))
        self.refused(review.FORBIDDEN, "SUDO_UID is no user id", "list", env=dict(env, SUDO_UID="root"))

    # ---- two people

    def test_two(self):
        """the first approves, the second releases; one person is not two"""
        self.configure(approvals=2)
        held = self.hold(sender="gina@me.example")
        self.assertSaid(self.sudo(ANN, "release", held.id, reason="fine"), 0, "%s: approved, 1 of 2: it stays on hold" % held.id)
        self.assertSaid(self.sudo(ANN, "release", held.id, reason="fine, really"), review.FORBIDDEN, "you have approved it already")
        self.assertOnHold(held)
        self.assertSaid(self.sudo(ANN, "list"), 0, r"  1 of 2 approvals  ")
        self.assertSaid(self.sudo(BOB, "show", held.id), 0, r"(?m)^Approvals     1 of 2: %s$" % ANN)
        self.assertSaid(self.sudo(BOB, "release", "--dry-run", held.id, reason="fine"), 0, "would be released")
        self.assertOnHold(held)
        self.assertSaid(self.sudo(BOB, "release", held.id, reason="me too"), 0, "%s: released" % held.id)
        self.assertArrived(held)
        self.assertEqual([event[:3] for event in self.events(held.id)], [(ANN, "approve", "fine"), (BOB, "approve", "me too"), (BOB, "release", "me too")])
        self.assertLogged(held.id, 'approve by=%s uid=\\d+ .* reason="fine"' % ANN, 'approve by=%s uid=\\d+ .* reason="me too"' % BOB,
                          'release by=%s uid=%d .* reason="me too"' % (BOB, pwd.getpwnam(BOB).pw_uid))

    def test_rule(self):
        """a rule asks for two by itself"""
        held = self.hold(sender="secret@me.example", people=review.WIDE[:2])
        self.assertSaid(self.sudo(BOB, "release", held.id, reason="fine"), 0, "approved, 1 of 2")
        self.assertOnHold(held)
        self.assertSaid(self.sudo(ANN, "release", held.id, reason="fine"), 0, "released")
        self.assertArrived(held)

    def test_own(self):
        """nobody approves his own mail: by his addresses, by his logins"""
        cases = [(ANN, dict(sender="ann@me.example")), (ANN, dict(sender="A.Lee@ME.example")), (ANN, dict(way="auth", sender="team@me.example")), (BOB, dict(sender="bob@me.example"))]
        for approvals in 1, 2:
            self.configure(approvals=approvals)
            for who, options in cases:
                with self.subTest(who=who, approvals=approvals, **options):
                    held = self.hold(**options)
                    for arguments in (), ("--dry-run",):
                        self.assertSaid(self.sudo(who, "release", held.id, *arguments, reason="mine"), review.FORBIDDEN, "is your own mail")
                    self.assertOnHold(held)
                    self.assertEqual(self.events(held.id), [])
                    self.done("delete", held.id, reason="x")

    def test_own_afterwards(self):
        """that another has approved it makes it no less one's own"""
        self.configure(approvals=2)
        held = self.hold(sender="ann@me.example")
        self.assertSaid(self.sudo(BOB, "release", held.id, reason="fine"), 0, "approved, 1 of 2")
        self.assertSaid(self.sudo(ANN, "release", held.id, reason="mine"), review.FORBIDDEN, "is your own mail")
        self.assertOnHold(held)

    def test_unknown(self):
        """where two are needed, who has no identity does not count: root neither"""
        self.configure(approvals=2)
        held = self.hold(sender="gina@me.example")
        self.assertSaid(self.sudo(HELP, "release", held.id, reason="x"), review.FORBIDDEN, "needs 2 reviewers, and an approval of `%s` does not count" % HELP)
        self.refused(review.FORBIDDEN, "an approval of `root` does not count", "release", held.id, reason="x")
        self.assertSaid(self.sudo(ANN, "release", held.id, reason="x"), 0, "approved, 1 of 2")
        self.assertSaid(self.sudo(HELP, "release", held.id, reason="x"), review.FORBIDDEN, "does not count")
        self.assertOnHold(held)

    def test_one_is_enough(self):
        """to return or delete it, one person is enough"""
        self.configure(approvals=2)
        held = [self.hold(sender="gina@me.example") for _ in range(2)]
        self.assertSaid(self.sudo(HELP, "delete", held[0].id, reason="x"), 0, "deleted")
        self.assertSaid(self.sudo(HELP, "return", held[1].id, reason="x"), 0, "returned")

    def test_identities(self):
        """a wrong line is told with its place, and nothing is decided"""
        self.configure(approvals=2)
        held = self.hold()
        self.write_identities("%s: ann@me.example\n%s ann@me.example\n" % (ANN, BOB))
        result = self.sudo(ANN, "release", held.id, reason="x")
        self.assertSaid(result, review.WRONG, r"identities:2:1: error: expected `LOGIN: ADDRESS")
        self.write_identities()
        os.chmod(os.path.join(self.guard.directory, "identities"), 0o666)
        self.assertSaid(self.sudo(ANN, "release", held.id, reason="x"), review.WRONG, "others than root may write it")
        self.assertOnHold(held)


if __name__ == "__main__":
    review.main(240, sorted({"/etc", "/usr/sbin", existing(os.path.dirname(os.path.dirname(installed())))}))
