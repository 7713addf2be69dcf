"""Reviewers of a fleet: each runs rcptguardq on a node by a real sudo.

    class Decisions(fleetpeople.PeopleCase):
        def test_release(self):
            held = self.nodes[1].hold()
            self.published(self.nodes[1], held)
            self.assertSaid(self.by(self.nodes[0], ANN, "release", held.id, reason="ok"), 0, "released")

    if __name__ == "__main__":
        fleetpeople.main()

sudo goes with the installed configuration alone: by() writes that of the node before it runs the program.
"""

import functools
import os
import pathlib
import pwd
import re
import subprocess

import daemon
import fleetcase
import fleetdb
import mta
import review
import surroundings

ANN, BOB, EVE = fleetcase.ANN, fleetcase.BOB, fleetcase.EVE

# In a group that may release, and without a role in the database.
CARL = "uucp"

REVIEWERS = ", ".join((ANN, BOB, EVE, CARL))
DECIDERS = ", ".join((ANN, BOB, CARL))
GROUPS = {"list": REVIEWERS, "show": REVIEWERS, "release": DECIDERS, "return": DECIDERS, "delete": DECIDERS}


@functools.lru_cache(None)
def installed():
    """The configuration that the program reads without -c."""
    done = subprocess.run([review.PROGRAM, "list", "--help"], stdout=subprocess.PIPE, check=True, env=daemon.environment())
    return re.search(r"The configuration \((/\S+)\)", done.stdout.decode()).group(1)


def _existing(path):
    while not os.path.isdir(path):
        path = os.path.dirname(path)
    return path


class PeopleCase(fleetcase.FleetCase):
    REVIEW = GROUPS

    @classmethod
    def setUpClass(cls):
        cls.ATTRIBUTES = {**cls.ATTRIBUTES, "REVIEW": cls.REVIEW}
        super().setUpClass()
        with open("/etc/hosts", "a", encoding="ascii") as hosts:
            hosts.write("127.0.0.1 %s\n" % surroundings.HOST)  # sudo asks
        cls.program = review.copy_program(cls.fleet.folder)
        os.chmod(cls.fleet.folder, 0o755)
        daemon.write("/etc/sudoers.d/rcptguard", "".join("%s ALL = (root) NOPASSWD: %s\n" % (login, cls.program) for login in (ANN, BOB, EVE, CARL)), 0o440)

    def setUp(self):
        """All nodes see that nothing waits."""
        super().setUp()
        for node in self.nodes:
            node.done("list", "--node", node.NODE)
        daemon.wait_until(lambda: self.rows("SELECT 1 AS n FROM rcptguard.held WHERE state IN ('pending', 'held') LIMIT 1") == [], mta.LIMIT, "the publishing of what the test before has left")

    def by(self, node, login, *arguments, reason=None, stdin=""):
        """What a person is told on a node."""
        target = installed()
        os.makedirs(os.path.dirname(target), exist_ok=True)
        daemon.write(target, pathlib.Path(node.config_path).read_bytes())
        entry = pwd.getpwnam(login)
        command = ["sudo", "-n", self.program, *arguments, *(["--reason", reason] if reason is not None else [])]
        done = subprocess.run(command, user=entry.pw_uid, group=entry.pw_gid, extra_groups=[entry.pw_gid], input=stdin.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=mta.LIMIT, check=False, cwd="/", env={"PATH": os.environ["PATH"], "LANG": "C", "SUDO_UID": "0"})
        return fleetdb.in_the_end(self.server, review.Answer(done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8")))

    def decided(self, node, *arguments, **options):
        """What root is told on a node of what others hold, who do it without a complaint."""
        result = fleetdb.in_the_end(self.server, node.ask(*arguments, **options))
        self.assertEqual((result.code, result.err), (review.DONE, ""), result)
        return result

    def assertSaid(self, result, code, words):
        self.assertEqual(result.code, code, result)
        self.assertRegex(result.out + result.err, words)

    # ---- what the database has

    def wait_held(self, *messages):
        """Other nodes see that these (node, held) are on hold."""
        for node, held in messages:
            node.done("list", "--node", node.NODE)  # its row says so from then on
            daemon.wait_until(lambda node=node, held=held: self.rows("SELECT 1 AS n FROM rcptguard.held WHERE node = '%s' AND queue_id = '%s' AND state = 'held'" % (node.NODE, held.id)),
                              mta.LIMIT, "what %s publishes of %s" % (node.NODE, held.id))

    def hold_seen(self, *nodes, **options):
        """One message on each, which all nodes see."""
        messages = [(node, node.hold(**options)) for node in nodes]
        self.wait_held(*messages)
        return [held for _node, held in messages]

    def decisions(self, node, held):
        return self.rows("SELECT * FROM rcptguard.decision WHERE node = '%s' AND queue_id = '%s' ORDER BY id" % (node.NODE, held.id))

    def make_away(self, node, minutes):
        """Its agent is stopped, as if that were some minutes ago: the database does not let its time be written."""
        node.stop_agent()
        daemon.wait_until(lambda: self.server.psql("SELECT count(*) FROM pg_stat_activity WHERE usename = '%s'" % node.NODE) == "0", mta.LIMIT, "the end of its sessions")
        self.server.psql("SET session_replication_role = replica; UPDATE rcptguard.node SET seen = clock_timestamp() - interval '%d minutes' WHERE name = '%s'" % (minutes, node.NODE))


def main(limit=400):
    fleetcase.main(limit, sorted({"/etc", _existing(os.path.dirname(os.path.dirname(installed())))}))
