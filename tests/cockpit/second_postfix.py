"""A second instance of Postfix on this machine, beside the first: with a queue and a port of its own, and the same mailbox."""

import mailhost

NAME = "postfix-out"
ETC = "/etc/" + NAME
SPOOL = "/var/spool/" + NAME
PORT = 2526

COMMANDS = (
    "postmulti -e init",
    "postmulti -I %s -e create" % NAME,
    "postconf -c %s -X master_service_disable authorized_submit_users" % ETC,
    "postconf -c %s -MX smtp/inet" % ETC,
    "postconf -c %s -Me '%d/inet=%d inet n - n - - smtpd'" % (ETC, PORT, PORT),
    "postmulti -i %s -e enable" % NAME,
    "systemctl daemon-reload",
)


def shell(command):
    return mailhost.run("sh", "-c", command)


def unit():
    """Debian 13 leaves out what the names of all instances begin with."""
    return "postfix@" + (NAME.replace("postfix-", "") if "/postfix-%I" in shell("systemctl cat postfix@.service") else NAME)


def make():
    """It is there, and is not started."""
    for command in COMMANDS:
        shell(command)
    for line in mailhost.postfix_settings():
        mailhost.run("postconf", "-c", ETC, "-e", line)


def start():
    mailhost.run("systemctl", "restart", unit())
    mailhost.until(lambda: mailhost.listens(PORT), "the second Postfix listens")


def remove():
    shell("systemctl stop %s; postmulti -i %s -e disable && postmulti -i %s -e destroy; systemctl daemon-reload" % (unit(), NAME, NAME))
