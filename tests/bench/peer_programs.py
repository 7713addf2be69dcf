"""The milters that `make bench-peers` compares: where each comes from, how it is set up, how it is started.

rspamd, python3-milter and Sendmail::PMilter are Debian's packages.  They are downloaded and
unpacked into a directory of the build, not installed; the programs see that directory over
/usr, in a root of their own, and nothing else sees it.
"""

import os
import pathlib
import shutil
import subprocess

import milters
from milters import SOURCE, USER, Daemon, Failure

PACKAGES = ("rspamd", "python3-milter", "libsendmail-pmilter-perl")
ROOT = "/dev/peers"  # below /dev, which is private to the benchmark already
START = 120  # seconds: rspamd compiles the names of 9,628 top level domains first
GROUP = "nogroup"

POLICY = """\
version 1
contact "postmaster@corp.example"
class internal { domain "corp.example", ".corp.example" }
class freemail { domains from "freemail.domains" individuals }

rule mass-disclosure {
    when parties(external) >= 6000 or visible(external) >= 6000
    reject "{visible} people outside could read each other's addresses."
}

rule wide-cc {
    when parties(external) >= 5500 or visible(external) >= 5500
    quarantine "wide Cc; addresses: {visible}, parties: {parties}"
}

default accept
"""

CONF = """\
[milter]
socket = unix:{socket}
user = {user}
policy = {folder}/policy
{more}
[ledger]
path = {folder}/ledger.db
{log}
"""


# ---- packages


def download(cache):
    """Those of Debian's packages that can be had, with what they need and the machine lacks, unpacked in `cache`/root."""
    root, archives = cache / "root", cache / "archives"
    if (cache / "done").exists():
        return root
    (archives / "partial").mkdir(parents=True, exist_ok=True)
    root.mkdir(exist_ok=True)
    for package in PACKAGES:
        done = subprocess.run(["apt-get", "install", "-q", "-y", "--no-install-recommends", "--download-only", "-o", f"Dir::Cache::archives={archives}",
                               "-o", "Debug::NoLocking=1", package], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            print(f"# {package} cannot be downloaded: {done.stderr.strip().splitlines()[-1:]}", flush=True)
    for archive in sorted(archives.glob("*.deb")):
        subprocess.run(["dpkg-deb", "-x", archive, root], check=True)
    (cache / "done").touch()
    return root


def show_over_usr(root):
    """A root in which what was unpacked lies over /usr."""
    os.mkdir(ROOT)
    subprocess.run(["mount", "--rbind", "/", ROOT], check=True)
    subprocess.run(["mount", "--make-rprivate", ROOT], check=True)
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o", f"lowerdir={root}/usr:/usr", f"{ROOT}/usr"], check=True)


def version(*packages):
    """The version of a package that was downloaded, or of one that the machine has."""
    for package in packages:
        done = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], capture_output=True, text=True, check=False)
        if done.returncode == 0 and done.stdout:
            return done.stdout
    return "none"


# ---- programs


class Peer:
    """One milter: its name in the tables, and what its log line holds for a number of recipients (None: it logs nothing).

    judges  it counts recipients, so it rejects a list of 6,500
    """

    judges = True

    def __init__(self, name):
        self.name = name
        self.daemon = None

    def line(self, recipients):
        raise NotImplementedError

    def prepare(self, build, folder, path):
        """Gives the process id of the milter that was started, which listens at `path` soon."""
        raise NotImplementedError

    def start(self, build, base, path=None):
        folder = base / self.name.replace(" ", "-").replace(",", "")
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)
        shutil.chown(folder, USER)
        path = path or folder / "sock"
        path.unlink(missing_ok=True)
        self.daemon = Daemon(self.name, path, self.prepare(build, folder, path), START)
        return self.daemon

    def stop(self):
        if self.daemon is not None:
            self.daemon.stop(self.signal())

    def signal(self):
        return milters.signal.SIGTERM


class Null(Peer):
    judges = False

    def __init__(self, name, *options):
        super().__init__(name)
        self.options = options

    def line(self, recipients):
        return None

    def prepare(self, build, folder, path):
        return milters.start_other(build / "tests/bench/null-milter", *self.options, f"unix:{path}")


class Rcptguardd(Peer):
    def __init__(self, name, more="", log=""):
        super().__init__(name)
        self.more, self.log = more, log

    def line(self, recipients):
        """The colleague is counted apart."""
        return None if self.log else b" verdict=accept rule=default would=- visible=%d" % (recipients - 1)

    def prepare(self, build, folder, path):
        (folder / "policy").write_text(POLICY)
        shutil.copyfile(SOURCE / "packaging/examples/freemail.domains", folder / "freemail.domains")
        conf = folder / "rcptguard.conf"
        conf.write_text(CONF.format(socket=path, folder=folder, user=USER, more=self.more, log=self.log))
        return milters.start_rcptguardd(build, folder, path, conf)


class Foreign(Peer):
    """A milter of another project, in the root that has it.  `count` is how its line writes a number of recipients."""

    def __init__(self, name, program, file, *command, count=b" visible=%d"):
        super().__init__(name)
        self.program, self.file, self.command, self.count = program, file, command, count

    def line(self, recipients):
        return self.count % recipients

    def found(self):
        return pathlib.Path(ROOT + self.program).exists()

    def prepare(self, build, folder, path):
        for source in (SOURCE / "tests/bench/peer").iterdir():
            text = source.read_text().replace("{folder}", str(folder)).replace("{socket}", str(path))
            (folder / source.name).write_text(text)
        words = [word.format(socket=path, file=folder / self.file) for word in self.command]
        return milters.start_other("chroot", ROOT, *words)

    def signal(self):
        """At once, with its children: some wait for connections that never come."""
        return milters.signal.SIGKILL


YARDSTICK = "null, one answer"
OURS = "rcptguardd"


def all_peers():
    return [
        Null(YARDSTICK, "-o"),
        Null("null, our steps"),
        Rcptguardd(OURS),
        Rcptguardd("rcptguardd, accepted = no", log="\n[log]\naccepted = no"),
        Rcptguardd("rcptguardd, read-ahead = no", more="read-ahead = no\n"),
        Foreign("rspamd", "/usr/bin/rspamd", "rspamd.conf", "/usr/bin/rspamd", "-f", "-u", USER, "-g", GROUP, "-c", "{file}",
                count=b"COUNT{visible=%d;"),
        Foreign("python3-milter", "/usr/lib/python3/dist-packages/Milter/__init__.py", "count_milter.py", "setpriv", "--reuid", USER, "--regid", GROUP,
                "--clear-groups", "/usr/bin/python3", "{file}", "unix:{socket}"),
        Foreign("PMilter", "/usr/share/perl5/Sendmail/PMilter.pm", "count_milter.pl", "setpriv", "--reuid", USER, "--regid", GROUP, "--clear-groups",
                "/usr/bin/perl", "{file}", "local:{socket}"),
    ]


def found_peers(cache):
    """Those that can run here; says which cannot."""
    try:
        show_over_usr(download(cache))
    except (OSError, subprocess.SubprocessError) as error:
        raise Failure(f"the packages of the peers cannot be had: {error}") from error
    found = []
    for peer in all_peers():
        if isinstance(peer, Foreign) and not peer.found():
            print(f"# {peer.name} is not there and is left out", flush=True)
        else:
            found.append(peer)
    return found
