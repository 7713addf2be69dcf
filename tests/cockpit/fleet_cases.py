"""Two nodes at one page: mx1, which has the page, and mx2, an instance of Postfix with a separate daemon on the same machine; one PostgreSQL."""

import os
import pathlib
import re
import subprocess

import chrome
import mailhost
import pagecase
import second_postfix
from decision_cases import DELETE, RELEASE, RETURN

OUT = second_postfix.NAME
DAEMON_OUT, FLEET, FLEET_OUT = "rcptguardd@%s.service" % OUT, "rcptguard-fleet.service", "rcptguard-fleet@%s.service" % OUT
CONF, CONF_OUT = "/etc/rcptguard/rcptguard.conf", "/etc/rcptguard/%s.conf" % OUT

# Who logs in to PostgreSQL as whom: dave has no role, and his node vouches for him.
HBA = "local all all peer map=rcptguard\n"
IDENT = "".join("rcptguard %s %s\n" % pair for pair in (("rcptguard", "mx1"), ("rcptguard", "mx2"), ("alice", "alice"), ("postgres", "fleet"), ("postgres", "postgres")))
ROLES = "CREATE ROLE fleet LOGIN CREATEROLE; CREATE ROLE rcptguard_node NOLOGIN; CREATE ROLE mx1 LOGIN IN ROLE rcptguard_node; CREATE ROLE mx2 LOGIN IN ROLE rcptguard_node"
DATABASE = "host=/run/postgresql dbname=rcptguard user="


def psql(sql, database="rcptguard"):
    """As the superuser: what it prints, without a frame."""
    return mailhost.run("runuser", "-u", "postgres", "--", "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", sql, cwd="/").strip()


def start_postgresql():
    mailhost.run("systemctl", "start", "postgresql")
    mailhost.until(lambda: subprocess.run(["pg_isready", "-q", "-h", "/run/postgresql"], check=False).returncode == 0, "PostgreSQL answers")


def make_database():
    start_postgresql()
    folder = pathlib.Path(psql("SHOW hba_file", "postgres")).parent
    psql(ROLES, "postgres")
    psql("CREATE DATABASE rcptguard OWNER fleet", "postgres")
    for name, text in ("pg_hba.conf", HBA), ("pg_ident.conf", IDENT):
        (folder / name).write_text(text)
    mailhost.run("systemctl", "restart", "postgresql")
    start_postgresql()


def conf(node):
    return "[fleet]\nnode = %s\ndatabase = %s%s\n" % (node, DATABASE, node)


def make_fleet():
    make_database()
    second_postfix.make()
    mailhost.write("/etc/rcptguard/%s.policy" % OUT, mailhost.POLICY)
    mailhost.write(CONF_OUT, "[review]\nidentities = identities\n" + conf("mx2"))
    mailhost.write(CONF, mailhost.REVIEW + conf("mx1"))
    mailhost.run("systemctl", "restart", "rcptguardd.service", DAEMON_OUT)
    mailhost.run(mailhost.PROGRAM, "setup", "postfix", "--instance", OUT, "--yes")
    second_postfix.start()
    mailhost.run(mailhost.PROGRAM, "fleet", "init", "--user", "postgres", "--database", DATABASE + "fleet")
    psql("CREATE ROLE alice LOGIN IN ROLE rcptguard_reviewer")
    mailhost.run("systemctl", "start", FLEET, FLEET_OUT)
    mailhost.until(lambda: psql("SELECT count(*) FROM rcptguard.node") == "2", "both nodes are in the database")


def remove_fleet():
    second_postfix.shell("systemctl stop %s %s %s && systemctl start postgresql" % (FLEET, FLEET_OUT, DAEMON_OUT))
    second_postfix.remove()
    mailhost.write(CONF, mailhost.REVIEW)
    mailhost.run("systemctl", "restart", "rcptguardd")
    psql("DROP DATABASE rcptguard WITH (FORCE)", "postgres")
    psql("DROP ROLE IF EXISTS mx1, mx2, alice, rcptguard_node, rcptguard_reviewer, rcptguard_owner, fleet", "postgres")
    second_postfix.shell("systemctl stop postgresql; systemctl reset-failed; rm -rf /etc/rcptguard/%s.* /var/lib/rcptguard-%s" % (OUT, OUT))


def elsewhere(*arguments):
    """rcptguardq of mx2: what it prints as JSON."""
    return mailhost.lines(mailhost.run(mailhost.PROGRAM, *arguments, "--json", "--instance", OUT))


class Nodes(pagecase.PageCase):
    @classmethod
    def setUpClass(cls):
        pagecase.prepare()
        mailhost.clear()
        cls.addClassCleanup(remove_fleet)
        make_fleet()
        cls.page = chrome.Reviewer(cls.WHO)

    def setUp(self):
        self.empty()
        self.page.close_dialog()
        self.page.list()
        self.page.filter()
        self.page.wait_rows()

    def empty(self):
        """Nothing is on hold on either, each of which decides about its own."""
        for options, configuration in ((("--node", "mx1"), "/etc/postfix"), (("--instance", OUT, "--node", "mx2"), second_postfix.ETC)):
            if mailhost.lines(mailhost.run(mailhost.PROGRAM, "list", "--json", *options)):
                mailhost.run(mailhost.PROGRAM, "delete", "--all", "--newer", "90d", "--yes", "--reason", "the next test begins", *options)
            mailhost.run("postsuper", "-c", configuration, "-d", "ALL")
        mailhost.until(lambda: not mailhost.held(), "nothing is on hold")
        if os.path.exists(mailhost.BOX):
            os.truncate(mailhost.BOX, 0)

    def hold(self, subject, **options):
        """On mx2; its name in the list of all nodes."""
        queue_id = mailhost.hold(subject, port=second_postfix.PORT, **options)
        mailhost.until(lambda: mailhost.held()[queue_id]["state"] == "held", "mx1 knows that it is on hold")
        return "mx2:" + queue_id

    def test_list(self):
        """the list has the messages of both, with their nodes, and can be narrowed to one; the overview counts both"""
        here, there = "mx1:" + mailhost.hold("Here"), self.hold("There")
        self.page.wait_rows(here, there)
        self.assertIn("mx2", self.page.row_text(there))
        self.page.filter(node="mx2")
        self.page.wait_rows(there)
        self.page.filter()
        self.page.wait_rows(here, there)
        self.page.shot("nodes")
        self.page.go("#/overview")
        text = self.page.wait_text("#overview-nodes", "mx2")
        self.assertRegex(text, r"mx1 1 0 this node")
        self.assertRegex(text, r"mx2 1 0 now")
        self.page.shot("overview-nodes")

    def test_decide(self):
        """a message of the other node is released there, with the reviewer's own name; its recipients are looked at on its node"""
        there = self.hold("Far away")
        self.page.wait_row(there)
        self.page.follow(there)
        self.page.wait_text("#message-why", "wide Cc: 12 addresses, 12 parties")
        self.page.shot("message-of-a-node")
        self.page.decide(RELEASE, "all are on the list")
        self.assertDelivered("Far away")
        decided, = [each for each in elsewhere("log", there.partition(":")[2]) if each["action"] == "release"]
        self.assertEqual((decided["who"], decided["by_node"], decided["reason"]), ("alice", None, "all are on the list"))
        self.page.until(lambda: re.search(re.escape(there) + ".*released", self.page.text("#said")), "the page says so")
        self.page.list()
        self.page.wait_rows()
        self.page.go("#/history")
        self.page.wait_text("#history", there + "[^\n]*alice[^\n]*release")

    def test_several(self):
        """chosen from both nodes, deleted at once"""
        names = ["mx1:" + mailhost.hold("One here"), self.hold("One there"), self.hold("Another there")]
        self.page.wait_rows(*names)
        self.page.choose(*names)
        self.page.decide(DELETE, "of a robot", within="#list")
        mailhost.until(lambda: not mailhost.held(), "all are gone")
        self.page.close_dialog()
        self.page.wait_rows()
        self.assertEqual(mailhost.delivered("there") + mailhost.delivered("here"), [])

    def test_away(self):
        """what is decided while its node is away waits, and is shown so; the page says which node is away; it is done when the node is back"""
        there = self.hold("Patience")
        self.page.wait_rows(there)
        mailhost.run("systemctl", "stop", FLEET_OUT)
        try:
            psql("SET session_replication_role = replica; UPDATE rcptguard.node SET seen = seen - interval '1 hour' WHERE name = 'mx2'")
            self.page.wait_text("#nodes-away", "Node mx2 is away, last seen")
            self.page.look(there)
            self.page.decide(RETURN, "use Bcc")
            self.page.wait_text("#said", "waits")
            self.page.close_dialog()
            self.page.list()
            self.page.until(lambda: "return by alice waits for mx2" in self.page.row_text(there), "the row says what waits")
            self.page.shot("waits")
            self.assertEqual([each["id"] for each in elsewhere("list", "--node", "mx2")], [there.partition(":")[2]], "nothing has happened there")
        finally:
            mailhost.run("systemctl", "start", FLEET_OUT)
        mailhost.until(lambda: mailhost.returned("care@corp.example", "use Bcc"), "the sender's mail")
        self.page.wait_rows()
        self.page.until(lambda: not self.page.text("#nodes-away"), "and nobody is away")

    def test_no_database(self):
        """the page says that other nodes are not shown; what this one holds can be decided"""
        here = mailhost.hold("Alone")
        mailhost.run("systemctl", "stop", "postgresql")
        try:
            self.page.wait_text("#nodes-away", "Other nodes are not shown:")
            name = self.page.until(lambda: next((each for each in self.page.rows() if each.endswith(here)), None), "the row of what is here")
            self.page.look(name)
            self.page.decide(RELEASE, "they know each other")
            self.assertDelivered("Alone")
        finally:
            start_postgresql()
        self.page.until(lambda: not self.page.text("#nodes-away"), "all are shown again")
