"""The database of a fleet in a private PostgreSQL, made by `rcptguardq fleet`."""

import contextlib
import os
import shutil
import subprocess

import daemon
import postgres

PROGRAM = os.path.join(daemon.BUILD, "rcptguardq")


def command(config, *arguments, user=None):
    """`rcptguardq fleet ARGUMENTS`: (exit code, standard output, standard error); `user` runs it, or root."""
    options = {}
    if user is not None:
        options = {"user": user, "group": user, "extra_groups": ()}
    done = subprocess.run([PROGRAM, "fleet", *arguments, "-c", config], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env=daemon.environment(), timeout=daemon.LIMIT, cwd="/", check=False, **options)
    return done.returncode, done.stdout, done.stderr


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
