"""The database of a fleet in a private PostgreSQL, made by `rcptguardq fleet`."""

import atexit
import contextlib
import functools
import os
import pwd
import re
import shutil
import subprocess

import daemon
import mta
import postgres
import review


# A command waits ten seconds for what another node says of a decision.
_UNANSWERED = re.compile(r"(?m)^(([^\s:]+):(\S+)): waits for node \S+: it has (?:not answered|begun, and has not answered) yet\n")


@functools.lru_cache(None)
def program():
    """A copy that every user may run: a checkout may be where only root can look."""
    folder = daemon.temporary_directory()
    atexit.register(shutil.rmtree, folder, True)
    return shutil.copy(os.path.join(daemon.BUILD, "rcptguardq"), folder)


def start(config, *arguments, user=None):
    """`rcptguardq fleet ARGUMENTS`, which goes on; `user` runs it, or root."""
    options = {}
    if user is not None:
        entry = pwd.getpwnam(user)
        options = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": ()}
    return subprocess.Popen([program(), "fleet", *arguments, "-c", config], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            env=daemon.environment(), cwd="/", **options)


def command(config, *arguments, user=None):
    """To its end: (exit code, standard output, standard error)."""
    with start(config, *arguments, user=user) as process:
        output, errors = process.communicate(timeout=daemon.LIMIT)
    return process.returncode, output, errors


def in_the_end(server, result):
    """What a command has said of a decision for another node; on a loaded machine that node may answer after the command has ended, and it is what it would have said."""
    codes, out = [], result.out
    for name, node, queue_id in _UNANSWERED.findall(result.err):
        row = daemon.wait_until(lambda node=node, queue_id=queue_id: server.psql(
            "SELECT code, words FROM rcptguard.decision WHERE node = '%s' AND queue_id = '%s' AND done IS NOT NULL"
            " AND id = (SELECT max(id) FROM rcptguard.decision WHERE node = '%s' AND queue_id = '%s')" % (node, queue_id, node, queue_id)), mta.LIMIT, "the answer of " + node)
        code, _, words = row.partition("|")
        codes.append(int(code))
        out += "%s: %s\n" % (name, words)
    return result if codes == [] else review.Answer(max(codes), out, _UNANSWERED.sub("", result.err))


@contextlib.contextmanager
def config(database, node="relay1", text=""):
    """The path of a configuration that names the database."""
    folder = daemon.temporary_directory()
    try:
        yield daemon.write(os.path.join(folder, "rcptguard.conf"), "[milter]\nuser = %s\n[fleet]\ndatabase = %s\nnode = %s\n%s" % (daemon.USER, database, node, text))
    finally:
        shutil.rmtree(folder)


def conninfo(server, *others):
    """By the sockets, without the name of a role: each connects as himself."""
    servers = [server, *others]
    return postgres.conninfo(host=",".join(each.sockets for each in servers), port=",".join(str(each.port) for each in servers), dbname=postgres.DATABASE)


def init(server, *arguments):
    """Makes the tables and roles, as the superuser."""
    with config(conninfo(server)) as path:
        code, output, errors = command(path, "init", *arguments, *(["--user", postgres.SUPERUSER] if daemon.ROOT else []))
    assert code == 0 and output.startswith("made: "), output + errors
