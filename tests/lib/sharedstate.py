"""A unittest case with one PostgreSQL for the state of several daemons, each with a role and a directory of its own, all with one key.

    class Adds(sharedstate.SharedStateCase):
        def test_adds(self):
            one, other = self.nodes(2)
"""

import os
import secrets
import subprocess

import daemon
import postgres
import statecase
import tap

NODES = 3
TABLES = "state_record", "state_circle", "state_party", "state_permit", "state_need", "state_key"

# What the tests of the database do not need: how its superuser and the nodes log in by the socket.
TRUST = "local all all trust\n"


def make_tables(server):
    """The roles and the tables of [state], without the rest of a fleet."""
    server.create_role("rcptguard_node", options="NOLOGIN")
    server.psql("CREATE SCHEMA rcptguard")
    statements = subprocess.run([os.path.join(daemon.BUILD, "tests/fleet/state-tables")], stdout=subprocess.PIPE, text=True, check=True).stdout
    server.psql(statements)
    for number in range(1, NODES + 1):
        server.create_role("relay%d" % number, groups=["rcptguard_node"], system_user=daemon.USER if daemon.ROOT else None)


class SharedStateCase(statecase.StateCase):
    HBA = "" if daemon.ROOT else TRUST

    @classmethod
    def setUpClass(cls):
        cls.server = postgres.Server(hba=cls.HBA)
        cls.addClassCleanup(cls.server.close)
        make_tables(cls.server)

    def setUp(self):
        self.folder = daemon.temporary_directory()
        self.addCleanup(daemon.shutil.rmtree, self.folder, True)
        os.chmod(self.folder, 0o700)
        daemon.own(self.folder)
        self.key = self.new_key("state.key")
        self.server.psql("TRUNCATE " + ", ".join("rcptguard." + table for table in TABLES))

    def new_key(self, name):
        path = daemon.write(os.path.join(self.folder, name), secrets.token_hex(32) + "\n", 0o600)
        daemon.own(path)
        return path

    def config(self, number, **keys):
        """Of node `number`, from 1 on; keys of [state]."""
        values = {"database": self.server.conninfo("relay%d" % number), "key": self.key}
        values.update({name.replace("_", "-"): value for name, value in keys.items()})
        return {("state", name): value for name, value in values.items()}

    def node(self, number, policy=statecase.WINDOWS, more=None, **keys):
        return self.guard(policy, config={**self.config(number, **keys), **(more or {})})

    def nodes(self, count=NODES, policy=statecase.WINDOWS, **keys):
        return [self.node(number, policy, **keys) for number in range(1, count + 1)]

    def learned(self, guard, *circles):
        """The database knows them: each passes, and again where a loaded machine was too late for what was learned."""
        def all_known():
            for circle in circles:
                self.assertPassed(self.answered(lambda circle=circle: self.send(guard, circle)))
            try:
                return daemon.wait_until(lambda: self.count("state_circle") == len(circles), 3 * tap.SLOWNESS)
            except AssertionError:
                return False
        daemon.wait_until(all_known, 120 * tap.SLOWNESS, "learning")

    def rows(self, sql):
        return self.server.psql(sql).splitlines()

    def shown_by_all(self):
        """How many the messages of all servers have shown; one that was deferred may count already, and comes again."""
        return int(self.server.psql("SELECT count(DISTINCT h) FROM rcptguard.state_record, unnest(hashes) h"))

    def count(self, table):
        return int(self.server.psql("SELECT count(*) FROM rcptguard." + table))
