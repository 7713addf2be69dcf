"""A private PostgreSQL: initdb in a temporary directory, a directory of sockets, a port of the loopback.

    with postgres.Server() as server:
        server.create_role("relay1", groups=["rcptguard_node"], system_user="nobody")
        server.psql("SELECT 1")
        conninfo = server.conninfo("relay1")

By its socket a role logs in as the system's user that create_role names (peer), by the
loopback with a password (SCRAM).  The superuser is `postgres`, by the socket alone.
"""

import contextlib
import glob
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import subprocess

import daemon
import tap

# initdb and postgres refuse to run as root; Debian's package has made this one, and so do the others.
SUPERUSER = "postgres"
DATABASE = "rcptguard"

_HBA = """\
local all postgres peer
local replication postgres peer
local all all peer map=test
host all all 127.0.0.1/32 scram-sha-256
"""

# Nothing here has to outlive the machine; and the tests' /dev has no shm.
_SETTINGS = {"fsync": "off", "full_page_writes": "off", "dynamic_shared_memory_type": "mmap", "shared_buffers": "16MB", "max_connections": "60",
             "listen_addresses": "127.0.0.1", "log_line_prefix": "%m [%p] %u ", "lc_messages": "C", "wal_level": "replica", "max_wal_senders": "4", "max_wal_size": "64MB"}


def programs():
    """The directory of the newest server's programs, or None."""
    found = [path for path in glob.glob("/usr/lib/postgresql/*/bin") + glob.glob("/usr/libexec/postgresql*") + ["/usr/bin"] if os.path.exists(path + "/initdb")]
    return max(found, key=lambda path: [int(number) for number in re.findall(r"\d+", path)] or [0], default=None)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _user():
    return SUPERUSER if daemon.ROOT else pwd.getpwuid(os.geteuid()).pw_name


class Server:
    """One cluster with the database `rcptguard`; `settings` are lines of postgresql.conf, `hba` of pg_hba.conf, before those that there are."""

    def __init__(self, settings=None, hba="", standby_of=None):
        self.programs = programs()
        assert self.programs, "PostgreSQL is missing; install the package postgresql (Debian, Alpine) or postgresql-server (Fedora)"
        self.folder = daemon.temporary_directory()
        self.data = os.path.join(self.folder, "data")
        self.sockets = os.path.join(self.folder, "run")
        self.port = free_port()
        self.process = None
        self.idents = []
        self.paused = []
        os.mkdir(self.sockets)
        daemon.own(self.folder, _user())
        daemon.own(self.sockets, _user())
        tap.on_failure(self.report)
        try:
            self._make(settings or {}, hba, standby_of)
            self.start()
            if standby_of is None:
                self.psql("CREATE DATABASE " + DATABASE, database="postgres")
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.resume()
        self.stop(signal.SIGQUIT)
        tap.forget(self.report)
        shutil.rmtree(self.folder, ignore_errors=True)

    def report(self):
        with contextlib.suppress(OSError):
            yield "PostgreSQL on port %d said:" % self.port
            yield from pathlib.Path(self.folder, "log").read_text("utf-8", "replace").splitlines()[-60:]

    # ---- its files

    def _run(self, program, *arguments, **options):
        if daemon.ROOT:
            entry = pwd.getpwnam(_user())
            options.update(user=entry.pw_uid, group=entry.pw_gid, extra_groups=())
        env = {"PATH": os.environ["PATH"], "LC_ALL": "C", "HOME": self.folder, "PGOPTIONS": "-c client_min_messages=error"}
        return subprocess.run([os.path.join(self.programs, program), *arguments], cwd=self.folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=daemon.LIMIT, check=False, **options)

    def _make(self, settings, hba, standby_of):
        if standby_of is None:
            done = self._run("initdb", "-D", self.data, "-U", SUPERUSER, "-E", "UTF8", "--locale=C", "--no-sync", "--auth-local=peer", "--auth-host=scram-sha-256")
        else:
            done = self._run("pg_basebackup", "-D", self.data, "-R", "-h", standby_of.sockets, "-p", str(standby_of.port), "-U", SUPERUSER, "-c", "fast", "-X", "stream")
            self.idents = list(standby_of.idents)
        assert done.returncode == 0, done.stdout
        values = dict(_SETTINGS, port=str(self.port), unix_socket_directories=self.sockets, **settings)
        self.write("postgresql.conf", "".join("%s = '%s'\n" % pair for pair in values.items()))
        self.write("pg_hba.conf", hba + _HBA)
        self._write_idents()

    def write(self, name, text, mode=0o600):
        """A file in its data directory, as its own."""
        path = daemon.write(os.path.join(self.data, name), text, mode)
        daemon.own(path, _user())
        return path

    def _write_idents(self):
        lines = ["test %s %s\n" % pair for pair in self.idents]
        if not daemon.ROOT:  # whoever runs the tests is the superuser too
            lines.append("test %s %s\n" % (_user(), SUPERUSER))
        self.write("pg_ident.conf", "".join(lines))

    # ---- its process

    def start(self, **environment):
        options = {}
        if daemon.ROOT:
            entry = pwd.getpwnam(_user())
            options = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": ()}
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self.process = subprocess.Popen([os.path.join(self.programs, "postgres"), "-D", self.data], cwd=self.folder, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, env={"PATH": os.environ["PATH"], "LC_ALL": "C", **environment}, **options)
        daemon.wait_until(self._ready, what=lambda: "the start of PostgreSQL:\n" + "\n".join(self.report()))

    def _ready(self):
        assert self.process.poll() is None, "PostgreSQL has ended: " + "\n".join(self.report())
        return self._run("psql", *self._psql("postgres"), "-c", "SELECT 1").returncode == 0

    def stop(self, number=signal.SIGINT):
        """SIGINT ends its sessions, SIGTERM waits for them, SIGQUIT is a crash of all of them."""
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(daemon.LIMIT)
            self.process = None

    def kill(self):
        """As a crash: sessions end in the middle, and what was not committed is gone."""
        self.stop(signal.SIGQUIT)

    def restart(self):
        self.stop()
        self.start()

    def reload(self):
        """Returns once the server has read its files again."""
        before = self.psql("SELECT pg_conf_load_time()")
        self.process.send_signal(signal.SIGHUP)
        daemon.wait_until(lambda: self.psql("SELECT pg_conf_load_time()") != before, what="the reload of PostgreSQL")

    def pause(self):
        """It says nothing any more, though the system still accepts connections for it."""
        os.kill(self.process.pid, signal.SIGSTOP)
        self.paused = [self.process.pid]
        daemon.wait_until(lambda: daemon.status(self.process.pid)["State"].startswith("T"), what="the pause of PostgreSQL")
        # The first is stopped, so no more come.
        for pid in daemon.children(self.process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
                self.paused.append(pid)

    def resume(self):
        for pid in reversed(self.paused):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        self.paused = []

    def promote(self):
        """A standby becomes a server that can be written."""
        self.psql("SELECT pg_promote()", database="postgres")

    # ---- SQL, as the superuser

    def _psql(self, database):
        return "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-h", self.sockets, "-p", str(self.port), "-U", SUPERUSER, "-d", database

    def psql(self, sql, database=DATABASE, role=None):
        """What psql prints, without its last line end: a row a line, columns with | between them.  `role` is set before."""
        words = ["-c", "SET ROLE " + quoted(role)] if role is not None else []
        done = self._run("psql", *self._psql(database), *words, "-c", sql)
        assert done.returncode == 0, "%.300s: %s" % (sql, done.stdout)
        return done.stdout.rstrip("\n")

    def create_role(self, name, groups=(), system_user=None, password=None, options="LOGIN"):
        """Who is `system_user` may log in as the role by the socket, and who knows the password by the loopback."""
        secret = " PASSWORD '%s'" % password if password is not None else ""
        self.psql("CREATE ROLE %s %s%s" % (quoted(name), options, secret), database="postgres")
        for group in groups:
            self.psql("GRANT %s TO %s" % (quoted(group), quoted(name)), database="postgres")
        if system_user is not None:
            self.map_user(system_user, name)

    def map_user(self, system_user, role):
        self.idents.append((system_user, role))
        self._write_idents()
        self.reload()

    # ---- how others find it

    def conninfo(self, user, **options):
        """By the socket, and peer authentication."""
        return conninfo(host=self.sockets, port=self.port, user=user, dbname=DATABASE, **options)

    def conninfo_tcp(self, user, **options):
        """By the loopback, with a password from elsewhere."""
        return conninfo(**{"host": "127.0.0.1", "port": self.port, "user": user, "dbname": DATABASE, **options})


def conninfo(**options):
    return " ".join("%s=%s" % pair for pair in options.items())


def quoted(name):
    return '"%s"' % name.replace('"', '""')


def write_passfile(path, lines, owner):
    """~/.pgpass: `lines` are HOST:PORT:DATABASE:USER:PASSWORD."""
    daemon.write(path, "".join(line + "\n" for line in lines), 0o600)
    daemon.own(path, owner)
    return path
