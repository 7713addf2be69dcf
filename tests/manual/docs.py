"""The documents: every command in them is run, every link leads somewhere, every table agrees with the tree.

The commands are those of the indented blocks, and what stands in backquotes and begins with a program of ours, make
or the like.  They are typed as they stand, in the order of STEPS, into a machine of their own: the root that this
one has, with all changes in memory, a network of its own, and the Postfix that is installed.  ELSEWHERE are those
that cannot be run there, each with the file in which something else does; a command in neither fails the test.
It takes about 50 s: the program is built twice and installed, as a reader of the README does.
"""

import os
import pathlib
import re
import shutil
import smtplib
import subprocess
import tempfile
import textwrap
import unittest
import xml.etree.ElementTree

import daemon
import mta
import policies
import postgres
import surroundings
import tap
import tool

SOURCE = pathlib.Path(daemon.SOURCE)
DOCUMENTS = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "packaging/README.md"]

# What a command begins with, where it stands within a sentence.
_INLINE = re.compile(r"`((?:(?:(?:sudo )?rcptguardq|rcptguard|rcptguardd|make|postfix|systemctl|systemd-analyze|\.\./configure) |packaging/(?:quickstart |build-|try-))[^`]*)`")

# Blocks that are no commands, by the first word.
DATA = {"smtpd_milters", "class", "rule", "DenyGroups"}

# What is not run here: where it is run, and the words there.
ELSEWHERE = {
    "rcptguardq counts --follow": ("tests/mta/review_counts.py", '"counts", "--follow"'),
    "rcptguardq forget": ("tests/mta/review_state.py", '"forget", "--party"'),
    # A machine that is booted, and packages.
    "apt-get build-dep ./packaging": ("packaging/try-suite", "apt-get -q -y build-dep ./packaging"),
    "apt-get install ./build-deb/rcptguard_*.deb ./build-deb/rcptguard-milter_*.deb": ("packaging/try-suite", "apt-get -s install ./build-deb/rcptguard_*.deb ./build-deb/rcptguard-milter_*.deb"),
    "systemctl mask cockpit.socket && apt-get install ./build-deb/rcptguard-cockpit_*.deb": ("packaging/try-web", "systemctl mask cockpit.socket && apt-get install"),
    "make check-page": ("packaging/try-web", "tests/cockpit/checks"),
    "systemctl enable --now rcptguard-web.socket": ("packaging/try-web", "systemctl enable --now rcptguard-web.socket"),
    "adduser alice rcptguard-review": ("packaging/try-web", "adduser alice rcptguard-review"),
    "systemctl mask cockpit.socket": ("packaging/try-web", "systemctl mask cockpit.socket"),
    "systemctl reload ssh": ("packaging/try-web", "systemctl reload ssh"),
    "sshd -T -C user=alice,host=any,addr=192.0.2.1 | grep -i denygroups": ("packaging/try-web", "sshd -T -C user=alice,host=any,addr=192.0.2.1 | grep -i denygroups"),
    "systemd-analyze security rcptguard-web.service": ("packaging/try-web", "systemd-analyze security"),
    "rcptguardq setup sendmail --yes && make -C /etc/mail && systemctl restart sendmail":
        ("packaging/try-boot", "rcptguardq setup sendmail --yes && make -C /etc/mail && systemctl restart sendmail"),
    "journalctl -t rcptguardd -g 'would=[a-z]'": ("packaging/try-boot", "journalctl -t rcptguardd -g 'would=[a-z]'"),
    "systemctl enable rcptguardd": ("packaging/try-boot", "systemctl is-enabled"),
    "systemctl start rcptguardd": ("packaging/try-boot", "systemctl start rcptguardd"),
    "systemctl reload rcptguardd": ("packaging/try-boot", "systemctl reload %s"),
    "systemd-analyze security rcptguardd.service": ("packaging/try-boot", "systemd-analyze security"),
    # What CI runs itself, since this test is a part of it; the steps that take minutes.
    "packaging/quickstart test": (".ci/run", "packaging/quickstart test"),
    "packaging/quickstart matrix": (".ci/run", "packaging/quickstart matrix"),
    "packaging/quickstart demo": ("packaging/quickstart", "python3 packaging/demo.py"),
    "packaging/try-builds": ("packaging/quickstart", "packaging/try-builds"),
    "packaging/try-suite": ("packaging/quickstart", "packaging/try-suite"),
    "packaging/try-suite trixie": ("packaging/quickstart", "other_system trixie"),
    "make check": ("packaging/quickstart", '"suite, plain" check'),
    "make check TESTS=tests/layout/layout.py": ("packaging/quickstart", "check TESTS="),
    "make check-unit": ("packaging/try-builds", "check-unit"),
    "make distcheck": ("packaging/quickstart", "distcheck TESTS="),
    "../configure --enable-werror": ("packaging/quickstart", "--enable-werror"),
    "../configure --enable-sanitizers=address,undefined": ("packaging/quickstart", "--enable-sanitizers=address,undefined"),
    "../configure --enable-sanitizers=thread": ("packaging/quickstart", "--enable-sanitizers=thread"),
    # By hand, before a release: they need systemd-nspawn, mmdebstrap and the packages' own tools.
    "packaging/build-deb": ("packaging/try-suite", "packaging/build-deb"),
    "packaging/build-rpm": ("packaging/rpm/rcptguard.spec", "packaging/build-rpm builds it"),
    "packaging/try-deb": ("packaging/try-suite", '"try-deb"'),
    "packaging/try-boot": ("packaging/README.md", "from the installation to a held and released message"),
    "packaging/try-web trixie": ("packaging/try-suite", '"try-web"'),
    "packaging/try-web": ("packaging/quickstart", "packaging/try-web"),
    "packaging/try-autopkgtest": ("packaging/try-suite", '"try-autopkgtest"'),
    # On a terminal, and as mail.
    "sudo rcptguardq review": ("tests/mta/review_screen.py", '"review"'),
    "rcptguardq digest": ("tests/mta/tell.py", '"digest"'),
    "rcptguardq reload": ("tests/mta/doctor.py", '"reload", "-c"'),
    "rcptguardq agent": ("tests/mta/agent.py", '"agent"'),
    "rcptguardq agent --wait": ("tests/lib/fleetcase.py", '"agent", "--wait"'),
    "rcptguardq fleet remove": ("tests/fleet/manage.py", '"remove", "relay1"'),
    "rcptguardq fleet update --vouching no": ("tests/fleet/manage.py", '"update", "--vouching", "no"'),
    "rcptguardq notify": ("tests/mta/tell.py", '"notify"'),
    "rcptguardq reload": ("tests/mta/doctor.py", '"reload"'),
}

# Of these the makefile is asked what it would do: they take minutes, or write into the tree.
ASKED = ["make bench", "make bench-answers", "make bench-body", "make bench-fleet", "make bench-flood", "make bench-held", "make bench-peers", "make bench-places", "make bench-replay", "make bench-shared", "make bench-state", "make bench-year", "make differential", "make one-pass", "make crossing", "make format", "make format-check", "make analysis", "make coverage", "make coverage-prepare", "make fuzz", "make growth", "make search", "make soak", "make check-soak", "make vectors", "make record-version RELEASE=0.2",
         "make update-golden"]

# Seconds for a build from the source, while other tests run.
LIMIT = 1500

# Where the source lies in it: a folder that no checkout has.
TREE = "/usr/src/rcptguard-as-documented"
BUILD = TREE + "/build-usr"
# What makes a policy decide, in its order.
DECIDE = ["sed '/^ *monitor$/d; /# for now$/d; s/^# later: //' /etc/rcptguard/policy > /etc/rcptguard/policy.new", "rcptguard check -p /etc/rcptguard/policy.new",
          "rcptguard replay -p /etc/rcptguard/policy.new mbox", "cp /etc/rcptguard/policy.new /etc/rcptguard/policy"]
HUP = "rcptguardd -n && kill -HUP $(cat /var/spool/postfix/rcptguard/rcptguard.sock.lock)"
PRINTF = "printf '[milter]\\nsocket = unix:/var/spool/postfix/rcptguard/rcptguard.sock\\n' > /etc/rcptguard/rcptguard.conf"
MESSAGE = mta.message("t", "care@corp.example", cc=policies.people(20))
MBOX = ("From care@corp.example Sat Nov 28 00:00:00 2026\n" + MESSAGE + "\n") * 3


def read(name):
    return (SOURCE / name).read_text(encoding="utf-8")


def blocks(name):
    """The indented blocks, and those within fences, as lists of lines."""
    text = re.sub(r"(?ms)^```\w*\n(.*?)^```$", lambda match: re.sub("(?m)^", "    ", match.group(1)), read(name))
    return [[line[4:] for line in match.splitlines()] for match in re.findall(r"(?m)(?:\A|(?<=\n\n))((?:    .*\n(?:\n(?=    ))?)+)", text)]


def commands():
    """{command: the documents that have it}"""
    found = {}
    for name in DOCUMENTS:
        lines = [line for block in blocks(name) if block[0].split()[0] not in DATA for line in block if line.strip()]
        for command in [re.sub(r"\s+# .*", "", line) for line in lines] + _INLINE.findall(re.sub(r"(?m)^    .*$", "", read(name))):
            found.setdefault(re.sub(r" +", " ", command), set()).add(name)
    return found


class Machine:
    """This machine's root, of which nothing that is done to it stays."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="rcptguard-docs.")
        self.root = os.path.join(self.folder, "root")
        self.cwd = TREE
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", self.folder], check=True)
        for name in ("upper", "work", "root"):
            os.mkdir(os.path.join(self.folder, name))
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", "lowerdir=/,upperdir={0}/upper,workdir={0}/work".format(self.folder), self.root], check=True)
        for name in ("dev", "proc"):
            subprocess.run(["mount", "--rbind", "/" + name, self.root + "/" + name], check=True)
        self._prepare()

    def _prepare(self):
        """As a machine is before rcptguard comes: the source, and a Postfix that runs."""
        tree = self.root + self.cwd
        shutil.copytree(SOURCE, tree, symlinks=True, ignore=shutil.ignore_patterns(".git", "build", "build-*", "*.o", "config.status", "Makefile"))
        subprocess.run(["chmod", "-R", "u+w", tree], check=True)
        self.run("userdel rcptguard; groupdel rcptguard-review; rm -rf /etc/rcptguard /var/lib/rcptguard /var/spool/postfix/rcptguard", code=None)
        self.write("/etc/postfix/main.cf", "compatibility_level = 3.6\nmyhostname = mail.corp.example\nmydomain = corp.example\nmyorigin = corp.example\n"
                   "mydestination = localhost, corp.example\ninet_interfaces = loopback-only\ninet_protocols = ipv4\nmaillog_file = /var/log/mail.log\n"
                   "default_transport = smtp:[127.0.0.1]:9\nsmtp_dns_support_level = disabled\nenable_long_queue_ids = yes\n")
        shutil.copy(self.root + "/usr/share/postfix/master.cf.dist", self.root + "/etc/postfix/master.cf")
        self.write("/var/log/mail.log", "")
        self.run("postfix start")

    def close(self):
        self.run("postfix stop", code=None)
        lock = pathlib.Path(self.root + "/var/spool/postfix/rcptguard/rcptguard.sock.lock")
        if lock.exists():
            pid = int(lock.read_text())
            self.run("kill %d" % pid, code=None)
            daemon.wait_until(lambda: not daemon.alive(pid), what="the end of rcptguardd")
        subprocess.run(["umount", "-R", "-l", self.folder], check=True)
        os.rmdir(self.folder)

    def write(self, path, text):
        pathlib.Path(self.root + path).write_text(text, encoding="utf-8")

    def run(self, command, code=0):
        """What it prints, both streams, typed by root in the folder where the one before has ended."""
        script = "cd '%s' || exit\n%s\nstatus=$?\npwd >/cwd\nexit $status" % (self.cwd, command)
        with tempfile.TemporaryFile() as output:  # no pipe: a daemon would keep it open
            done = subprocess.run(["chroot", self.root, "sh", "-c", script], stdin=subprocess.DEVNULL, stdout=output, stderr=output, timeout=LIMIT, check=False,
                                  env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8", "CFLAGS": "-O0",
                                       "MAKEFLAGS": "-j%d" % (os.cpu_count() or 1)})
            output.seek(0)
            text = output.read().decode("utf-8", "replace")
        if code is not None and done.returncode != code:
            raise AssertionError("`%s` ended with %d:\n%s" % (command, done.returncode, text[-3000:]))
        self.cwd = pathlib.Path(self.root + "/cwd").read_text().strip() or self.cwd
        return text

    def send(self, strangers):
        """A message to so many strangers in Cc: the last answer."""
        text = MESSAGE if strangers == 20 else mta.message("t", "care@corp.example", cc=policies.people(strangers))
        with smtplib.SMTP("127.0.0.1", 25, timeout=daemon.LIMIT) as client:
            client.ehlo("localhost")
            client.mail("care@corp.example")
            client.rcpt("c1@cust1.example")
            code, answer = client.data(text.encode())
        return code, answer.decode()

    def taken(self):
        """The answer to a message that is held; None: a loaded machine has deferred it, and it comes again."""
        code, answer = self.send(20)
        return None if code == 451 else (code, answer)

    def held(self):
        """The id of a message that is held now."""
        code, answer = daemon.wait_until(self.taken, what="a ledger that is not slow")
        assert code == 250, answer
        return re.search(r"queued as (\w+)", answer).group(1)


@unittest.skipUnless(daemon.ROOT, "a machine of its own needs root")
class Commands(unittest.TestCase):
    """What a person types who goes by the documents."""

    typed = set()

    @classmethod
    def setUpClass(cls):
        cls.machine = Machine()

    @classmethod
    def tearDownClass(cls):
        cls.machine.close()

    def type(self, command, typed=None, **options):
        """A command of the documents; `typed` is it with what stands for a name replaced."""
        self.assertIn(command, commands())
        self.typed.add(command)
        return self.machine.run(typed or command, **options)

    def test_1_build(self):
        """from the source: configure, make, install"""
        self.type("./autogen.sh && mkdir -p build-usr && cd build-usr")
        self.type("../configure --prefix=/usr --sysconfdir=/etc --localstatedir=/var --with-cockpit-dir=yes && make")
        self.type('make install DESTDIR="$PWD/root"')
        self.type("../configure --help")
        for command in ASKED:
            self.type(command, command.replace("make ", "make -n ", 1))
        self.type("../configure --enable-coverage", "mkdir -p ../build-coverage && cd ../build-coverage && ../configure --enable-coverage && grep -q coverage Makefile; cd ../build-usr")
        self.type("../configure --prefix=/usr --sysconfdir=/etc --localstatedir=/var && make && make install")
        self.type("make install")
        self.assertIn("rcptguardd ", self.type("rcptguardd --version"))
        self.machine.cwd = "/srv"

    def test_2_set_up(self):
        """its users, folders and files, and a start"""
        for command in ("useradd --system --home-dir /nonexistent --no-create-home --shell /usr/sbin/nologin rcptguard", "groupadd --system rcptguard-review",
                        "install -d -m 2750 -o rcptguard -g postfix /var/spool/postfix/rcptguard", "install -d -m 750 -o rcptguard -g rcptguard /var/lib/rcptguard",
                        "install -d /etc/rcptguard", PRINTF, "rcptguard init", "rcptguard check && rcptguardd -n && rcptguardd"):
            self.type(command)
        block = next(block for block in blocks("README.md") if block[0].startswith("smtpd_milters"))
        # Its last line by hand: what Postfix does without it depends on its version, and setup writes what is needed then.
        self.assertEqual(re.split(" += ", block[-1]), ["milter_default_action", "tempfail"])
        self.machine.run("postconf -e 'milter_default_action = tempfail'")
        self.type("rcptguardq setup postfix --yes --reload")
        for line in block:
            name, value = re.fullmatch(r"(\w+) += (.*)", line).groups()
            self.assertEqual(self.machine.run("postconf -hx " + name).strip(), value if "$" not in value else self.machine.run("postconf -hx " + value[1:]).strip(), name)
        self.type("postfix reload")
        self.assertRegex(self.type("rcptguardq doctor", code=None), r"(?m)^ok +mta\b")
        self.assertEqual(self.machine.send(60)[0], 250, "each rule is on trial")
        self.machine.write("/srv/mbox", MBOX)
        for command in DECIDE:
            self.type(command)
        self.type(HUP)
        daemon.wait_until(lambda: self.machine.send(60)[0] == 550, what="the reload")

    def test_3_held_mail(self):
        """what waits, why, and what is decided"""
        first, second = self.machine.held(), self.machine.held()
        listed = self.type("sudo rcptguardq list")
        self.assertIn(first, listed)
        self.assertIn(second, listed)
        example = "4jYYjq0MScz1bYwQ"
        self.assertIn("wide-cc", self.type("sudo rcptguardq show " + example, "sudo rcptguardq show " + first))
        self.assertIn("  Hello.", self.type("sudo rcptguardq show --text " + example, "sudo rcptguardq show --text " + first))
        for command, queue_id in (('sudo rcptguardq release --reason "asked the sender" ' + example, first), ('sudo rcptguardq return --reason "use Bcc" ' + example, second)):
            self.type(command, command.replace(example, queue_id))
        log = self.type("sudo rcptguardq log")
        self.assertIn("asked the sender", log)
        self.assertIn("use Bcc", log)

    def test_3_several_servers(self):
        """this machine is the database server db1, and the relay mx1; that the other relay can log in"""
        text = read("README.md").partition("### Several servers")[2].partition("### ")[0]
        database, node, tables = ([line[4:] for line in block.splitlines()] for block in re.findall(r"(?m)(?:^    .*\n)+", text))
        version = pathlib.Path(postgres.programs()).parent.name
        self.make_cluster(version)
        for command in database[:-1]:
            self.machine.write("/typed", command.replace("/15/main/", "/%s/docs/" % version) + "\n")
            # Without a terminal createuser reads the password, twice, from its input.
            self.type(command, "printf 'secret\\nsecret\\n' | setsid -w runuser -u postgres -- sh /typed")
        self.type(database[-1], "pg_ctlcluster %s docs restart" % version)

        self.machine.run("useradd -m alice && cd ~alice && echo 'db1.corp.example:*:*:fleet:secret' > .pgpass && chown alice .pgpass && chmod 600 .pgpass; cd /srv")
        # The packages' file has this line.
        self.assertIn("\n[fleet]\n", read("packaging/rcptguard.conf"))
        self.machine.run("cp -p /etc/rcptguard/rcptguard.conf without-fleet && echo '[fleet]' >> /etc/rcptguard/rcptguard.conf")
        for command in node[:-1]:
            self.type(command, command.replace("scp db1.corp.example:", "cp ").replace("PASSWORD", "secret"))
        self.assertIn("made: schema", self.type(tables[0]))
        self.type(node[-1], "rcptguardq agent --fleet")
        self.assertRegex(self.type("rcptguardq fleet status"), r"(?m)^mx1 .*: seen \d+ s ago, published ")
        found = self.machine.run("rcptguardq doctor --verbose", code=None)
        checks = re.findall(r"(?m)^(\w+) +(fleet[\w-]*)\b", found)
        self.assertGreaterEqual(len(checks), 7, found)
        self.assertEqual([check for check in checks if check[0] != "ok"], [], found)
        other = re.search(r"database = (.*?)\"", node[3]).group(1).replace("user=mx1", "user=mx2").replace(" passfile=/etc/rcptguard/pgpass", "")
        self.assertEqual(self.machine.run("PGPASSWORD=secret psql -At '%s' -c 'SELECT name FROM rcptguard.node'" % other), "mx1\n")
        self.machine.run("cp -p without-fleet /etc/rcptguard/rcptguard.conf")

    def make_cluster(self, version):
        """As the packages make one, with a certificate for its name."""
        run = self.machine.run
        self.machine.write("/etc/hosts", "127.0.0.1 localhost\n%s db1.corp.example\n" % surroundings.ADDRESSES[0])
        run("rm -rf /run/postgresql/.s.* && mkdir -p /etc/ssl/private && chmod 755 /etc/ssl/private && cd /etc/ssl && "
            "openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=db1.corp.example -addext subjectAltName=DNS:db1.corp.example -keyout private/ssl-cert-snakeoil.key "
            "-out certs/ssl-cert-snakeoil.pem && chown postgres private/ssl-cert-snakeoil.key && chmod 600 private/ssl-cert-snakeoil.key; cd /srv")
        run("pg_createcluster --port 5432 %s docs" % version)
        for setting in "dynamic_shared_memory_type mmap", "ssl on", "ssl_cert_file /etc/ssl/certs/ssl-cert-snakeoil.pem", "ssl_key_file /etc/ssl/private/ssl-cert-snakeoil.key":
            run("pg_conftool %s docs set %s" % (version, setting))
        self.addCleanup(run, "pg_ctlcluster --mode immediate %s docs stop" % version, code=None)
        run("pg_ctlcluster %s docs start" % version)

    def test_4_policy(self):
        """a policy, a message and a mailbox in a folder"""
        self.machine.run("mkdir /srv/try && cd /srv/try && cp -r /usr/share/doc/rcptguard/examples/* . && sed 's/>= 10 or/>= 11 or/' policy >old")
        self.machine.write("/srv/try/message.eml", MESSAGE)
        self.machine.write("/srv/try/mbox", MBOX)
        self.type("rcptguard check -p policy")
        self.assertIn("wide-cc", self.type("rcptguard explain -p policy message.eml"))
        self.type("rcptguard replay -p policy --html page.html mbox")
        self.machine.run("grep -q '</html>' page.html")
        self.assertIn("3", self.type("rcptguard replay -p policy --against old mbox"))
        self.type("rcptguard explain message.eml")
        self.assertIn("version 1", self.type("rcptguard print"))
        self.type("rcptguard check")
        for command in "rcptguard replay", "rcptguardq setup", "rcptguardq fleet":  # the documents name them without more words
            self.type(command, command + " --help")

    def test_5_undo(self):
        """what the packages ask before a removal, and how it is taken out"""
        before = TREE + "/packaging/before-removal"
        undo = "rcptguardq setup postfix --undo --yes --reload"
        self.assertEqual(self.machine.run(before + " --in-use"), "Postfix\n")
        self.assertIn("not removed: Postfix asks rcptguardd about each message (smtpd_milters, non_smtpd_milters) and would defer all mail without it. First type: %s " % undo,
                      self.machine.run(before, code=1))
        self.assertIn("still names rcptguardd", self.machine.run(before + " anyway"))
        held = self.machine.held()
        self.assertIn("\nrcptguard: 1 message is on hold.\n", self.machine.run("SUDO_UID=1 RCPTGUARD_REMOVE=anyway " + before))
        self.assertEqual(self.machine.run("cat /var/lib/rcptguard/held-at-removal"), "1 message is on hold.\n")
        self.machine.run("rcptguardq delete --yes --reason test " + held)
        self.type(undo)
        self.assertEqual(self.machine.run("postconf -h smtpd_milters").strip(), "")
        self.assertEqual(self.machine.run(before), "")
        self.machine.run("test ! -e /var/lib/rcptguard/held-at-removal")
        self.machine.run(before + " --in-use", code=1)
        # What master.cf says is a person's: it is not taken out, and so the package stays.
        self.machine.run("rcptguardq setup postfix --yes --reload && postconf -P smtp/inet/smtpd_milters=unix:rcptguard/rcptguard.sock")
        self.assertRegex(self.machine.run(before + " undo", code=1), r"not removed: .*, smtpd_milters of smtp/inet, .*First take it out of the service, then type: " + undo)
        self.assertNotEqual(self.machine.run("postconf -h smtpd_milters").strip(), "")
        self.machine.run("postconf -PX smtp/inet/smtpd_milters")
        self.assertIn("taking rcptguardd out of Postfix's configuration: %s\n" % undo, self.machine.run(before + " undo"))
        self.assertEqual(self.machine.run("postconf -h smtpd_milters").strip(), "")

    def test_6_every_command(self):
        """each command is typed here, or it is said where it is run"""
        missing = {command: sorted(names) for command, names in commands().items() if command not in self.typed and command not in ELSEWHERE}
        self.assertEqual(missing, {})
        self.assertEqual({command for command in ELSEWHERE if command not in commands()}, set(), "no document has these any more")

    def test_7_installed(self):
        """each path that packagers are told of is there, and no other file has been installed"""
        root = pathlib.Path(self.machine.root + BUILD + "/root")
        table = re.search(r"(?ms)^## Installed files\n(.*?)^The package,", read("packaging/README.md")).group(1)
        told = [path for row in re.findall(r"(?m)^\| (`/.*?) \|", table) for path in re.findall(r"`(/[^`]+)`", row)]
        self.assertGreater(len(told), 15)
        for path in told:
            self.assertTrue((root / path[1:]).exists(), path)
        untold = [str(path)[len(str(root)):] for path in root.rglob("*") if path.is_file()]
        self.assertEqual([path for path in untold if not any(path == one or path.startswith(one + "/") for one in told)], [])


class Documents(unittest.TestCase):
    def test_elsewhere(self):
        """what is said to be run elsewhere is there"""
        for command, (name, words) in ELSEWHERE.items():
            with self.subTest(command):
                if name == ".ci/run" and not (SOURCE / ".ci").exists():
                    continue  # an archive has none
                text = "\n".join(path.read_text() for path in (SOURCE / ".ci").iterdir()) if name == ".ci/run" else read(name)
                self.assertIn(words, text)

    def test_links(self):
        """each link leads to a file, and each document is linked from the README"""
        for name in DOCUMENTS:
            links = re.findall(r"\]\(([^)]+)\)", read(name))
            self.assertTrue(links, name)
            for link in links:
                if not link.startswith("https://"):
                    self.assertTrue((SOURCE / name).parent.joinpath(link).exists(), "%s: %s" % (name, link))
        for name in DOCUMENTS[1:]:
            self.assertIn("](%s)" % name, read("README.md"))

    def test_paths(self):
        """each path of the tree that is named is there"""
        for name in DOCUMENTS:
            paths = re.findall(r"`((?:policy|milter|tests|packaging)/[\w./*-]+)`", read(name))
            for path in paths:
                self.assertTrue(list(SOURCE.glob(path.rstrip("/"))), "%s: %s" % (name, path))
        self.assertGreater(len(re.findall(r"`(?:policy|milter)/", read("ARCHITECTURE.md"))), 20)

    def test_picture(self):
        """the picture has every room once, and each module in it is a file of one"""
        picture = xml.etree.ElementTree.parse(SOURCE / "architecture.svg")
        words = {kind: [text.text for text in picture.iter("{http://www.w3.org/2000/svg}text") if text.get("class") == kind] for kind in ("module", "room")}
        self.assertGreater(len(words["module"]), 25)
        for module in words["module"]:
            self.assertTrue(any(list((SOURCE / folder).rglob(module + ".c")) for folder in ("policy", "milter")), module)
        there = [path.parent.relative_to(SOURCE).as_posix() for folder in ("policy", "milter") for path in (SOURCE / folder).glob("*/README")]
        self.assertEqual(sorted(words["room"]), sorted(there))

    def test_first_policy(self):
        """the policy that the README shows is sound, and its rules are those of the example"""
        block = next(block for block in blocks("README.md") if block[0].startswith("class"))
        with tool.Folder({"policy": 'version 1\ncontact "postmaster@corp.example"\n' + "\n".join(block) + "\n", "freemail.domains": read("packaging/examples/freemail.domains"),
                          "example": read("packaging/examples/policy")}) as folder:
            self.assertEqual(folder.run("check", "-p", "policy")[0], 0)
            shown, example = (re.findall(r"(?m)^rule [\w-]+ \{\n(?:    .*\n)+\}", folder.run("print", "-p", name)[1]) for name in ("policy", "example"))
        self.assertEqual(len(shown), 2)
        self.assertLessEqual(set(shown), set(example))

    def test_rules(self):
        """a rule that SECURITY shows is in the manual, whose examples are tried"""
        rules = [textwrap.dedent("\n".join(block)) for block in blocks("SECURITY.md") if block[0].split()[0] == "rule"]
        self.assertEqual(len(rules), 1)
        for rule in rules:
            self.assertIn('.\\" example: part\n.Bd -literal -offset indent\n' + rule, read("policy/rcptguard/rcptguard-policy.5"))

    def test_options_of_configure(self):
        """packagers are told of each"""
        told = set(re.findall(r"--(?:with|without|enable|disable)-[\w-]+", read("packaging/README.md")))
        text = read("configure.ac") + read("m4/rcptguard.m4")
        known = set(re.findall(r"AS_HELP_STRING\(\[(--[\w-]+)", text)) | {"--with-" + name for name in re.findall(r"RG_FOLDER\(\[\w+\], \[([\w-]+)\]", text)}
        known -= {"--with-"}
        self.assertEqual(known - told, set())
        self.assertEqual(told - known, {"--with-libpq", "--with-systemd"})

    def test_libraries(self):
        """packagers are told of each, of its packages, and of the version that configure asks for"""
        rows = [re.split(r" *\| *", row.strip("| ")) for row in re.findall(r"(?m)^\| .*-dev.*\|$", read("packaging/README.md"))]
        self.assertGreater(len(rows), 10)
        lists = {name: re.search(r'(?s)^%s="([^"]*)"' % name, read("packaging/quickstart"), re.M).group(1).split() for name in ("APT", "DNF", "APK")}
        for column, name in (1, "APT"), (2, "DNF"), (3, "APK"):
            told = {row[column] for row in rows} - {"none"}
            self.assertLessEqual(told, set(lists[name]))
            self.assertEqual({word for word in lists[name] if re.search(r"-dev(el)?$", word)} - told - {"libc6-dev"}, set())
        asked = read("configure.ac")
        for row in rows:
            minimum = re.search(r">= ([\d.]+)[^\n]*\], \[%s " % re.escape(row[1]), asked)
            self.assertEqual(row[4], minimum.group(1) if minimum else {"libmilter-dev": "any", "libpq-dev": "12", "libsystemd-dev": "209"}[row[1]])


if __name__ == "__main__":
    surroundings.enter()
    tap.main(LIMIT)
