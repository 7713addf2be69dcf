"""The mail system of this machine for the tests of the page: users, policy, Postfix, messages on hold, and a mailbox for whatever is delivered.

It changes /etc, so it is for a machine that was made for it.
"""

import json
import mailbox
import os
import pathlib
import pwd
import re
import smtplib
import subprocess
import threading
import time

LIMIT = int(os.environ.get("RCPTGUARD_LIMIT", "90"))  # seconds, for whatever is waited for

PROGRAM = "/usr/sbin/rcptguardq"
LEDGER = "/var/lib/rcptguard/ledger.db"
GROUP = "rcptguard-review"
PASSWORD = "correct horse 9 battery"
BOX = "/var/mail/everybody/box"

# Login, shell, groups.  The last two may not review: one is not in the group, one has no shell.
USERS = {"alice": ("/bin/bash", GROUP), "dave": ("/bin/bash", GROUP), "bob": ("/bin/bash", None), "carol": ("/usr/sbin/nologin", GROUP)}

POLICY = """\
version 1
contact "postmaster@corp.example"

class internal { domain "corp.example" }

rule two {
    when sender in "two@corp.example" and parties(external) >= 3
    quarantine "two people look at these" approvals 2
}
rule slow {
    when sender in "slow@corp.example" and parties(external) >= 3
    quarantine "leaves later" release after 2h
}
rule wide-cc {
    when parties(external) >= 10 or visible(external) >= 40
    quarantine "wide Cc: {visible} addresses, {parties} parties" expire 2d return
}
default accept
"""

REVIEW = """\
[review]
identities = identities
[metrics]
path = /run/rcptguard-metrics/rcptguard.prom
"""

IDENTITIES = "alice: alice@corp.example\ndave: dave@corp.example\n"

POSTFIX = ("mydestination =", "default_transport = virtual", "relay_transport = virtual", "virtual_mailbox_base = /var/mail/everybody",
           "virtual_mailbox_maps = static:box", "virtual_uid_maps = static:%d", "virtual_gid_maps = static:%d", "inet_interfaces = loopback-only",
           "inet_protocols = ipv4", "smtputf8_enable = no", "message_size_limit = 20480000", "smtpd_client_connection_count_limit = 0")


def until(look, what, limit=LIMIT):
    """Waits until look() is true, and gives what it gave."""
    end = time.monotonic() + limit
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError("not within %d s: %s" % (limit, what))
        time.sleep(0.1)


def run(*command, **options):
    """What it prints; it has to succeed."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False, timeout=600, **options)
    if done.returncode != 0:
        raise AssertionError("%s: exit code %d: %s%s" % (" ".join(command)[:200], done.returncode, done.stdout, done.stderr))
    return done.stdout


def prepare():
    """Users, the policy, the mailbox and Postfix, and the daemon before it."""
    for name, (shell, group) in USERS.items():
        if subprocess.run(["id", name], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode != 0:
            run("useradd", "--create-home", "--shell", shell, *(["--groups", group] if group else []), name)
        subprocess.run(["chpasswd"], input="%s:%s\n" % (name, PASSWORD), text=True, check=True)
        # Where the cgroups of a container are not the newest, the end of a user's last session can block his next login for minutes.
        run("loginctl", "enable-linger", name)
    write("/etc/rcptguard/policy", POLICY)
    write("/etc/rcptguard/identities", IDENTITIES)
    write("/etc/rcptguard/rcptguard.conf", REVIEW)
    os.makedirs(os.path.dirname(BOX), exist_ok=True)
    owner = pwd.getpwnam("nobody")
    os.chown(os.path.dirname(BOX), owner.pw_uid, owner.pw_gid)
    for line in postfix_settings():
        run("postconf", "-e", line)
    run("systemctl", "restart", "rcptguardd")
    run(PROGRAM, "setup", "postfix", "--yes")
    run("systemctl", "restart", "postfix")
    until(listens, "Postfix listens")


def postfix_settings():
    """Lines for postconf: all mail is delivered to one mailbox."""
    owner = pwd.getpwnam("nobody")
    return [line % owner[2:2 + line.count("%d")] if "%d" in line else line for line in POSTFIX]


def start_web():
    """The web server of the page, from now on."""
    run("systemctl", "reset-failed")
    run("systemctl", "start", "rcptguard-web.socket")


def listens(port=25):
    try:
        with smtplib.SMTP("127.0.0.1", port, timeout=60):
            return True
    except OSError:
        return False


def write(path, text):
    pathlib.Path(path).write_text(text)
    os.chmod(path, 0o644)


# ---- messages

def people(count):
    return ["c%d@cust%d.example" % (number, number) for number in range(1, count + 1)]


def message(subject, sender, cc, body=b"Good morning.\n\nThe new price list is attached.\n", visible_sender=None):
    """The bytes of one; subject and sender may be bytes, as hostile mail has them."""
    if isinstance(subject, str):
        subject = subject.encode()
    if visible_sender is None:
        visible_sender = sender.encode()
    head = [b"From: " + visible_sender, b"To: " + sender.encode(), b"Cc: " + ",\n ".join(cc).encode(), b"Subject: " + subject,
            b"Message-ID: <%d.%d@corp.example>" % (time.time_ns(), os.getpid()), b"MIME-Version: 1.0", b"Content-Type: text/plain; charset=utf-8",
            b"Content-Transfer-Encoding: 8bit"]
    return b"\r\n".join(line.replace(b"\n", b"\r\n") for line in head) + b"\r\n\r\n" + body.replace(b"\n", b"\r\n")


def send(server, sender, recipients, content):
    """The queue id that Postfix says of a message.  What is deferred on a busy disk comes again, as from any mail program."""
    return until(lambda: transaction(server, sender, recipients, content), "the message is taken")


def transaction(server, sender, recipients, content):
    """One; the queue id, or None if the message was deferred."""
    for line in ("MAIL FROM:<%s>" % sender, *("RCPT TO:<%s>" % each for each in recipients)):
        code, text = server.docmd(line)
        if code != 250:
            raise AssertionError("%s: %d %s" % (line, code, text))
    code, text = server.data(content)
    if code == 451:
        return None
    if code != 250:
        raise AssertionError("data: %d %s" % (code, text))
    return re.search(rb"queued as (\w+)", text).group(1).decode()


def hold(subject, sender="care@corp.example", cc=None, port=25, **options):
    """Puts one message on hold, and gives its queue id once rcptguardq lists it."""
    cc = people(12) if cc is None else cc
    with smtplib.SMTP("127.0.0.1", port, timeout=60) as server:
        server.ehlo("client.example")
        queue_id = send(server, sender, cc, message(subject, sender, cc, **options))
    until(lambda: queue_id in held(), "%s is on hold" % queue_id)
    return queue_id


def hold_many(count, sessions=6):
    """Many messages on hold, each with a subject and a sender of its own."""
    numbers, lock, failures = iter(range(count)), threading.Lock(), []
    cc = people(12)

    def session():
        try:
            with smtplib.SMTP("127.0.0.1", 25, timeout=300) as server:
                server.ehlo("client.example")
                while not failures:
                    with lock:
                        number = next(numbers, None)
                    if number is None:
                        return
                    sender = "desk%d@corp.example" % (number % 50)
                    send(server, sender, cc, message("Circular %05d" % number, sender, cc))
        except (OSError, AssertionError) as failure:
            failures.append(failure)

    threads = [threading.Thread(target=session) for _ in range(sessions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise AssertionError("sending: %s" % failures[0])


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def held():
    """{queue id: what list says}, without a reviewer's eyes."""
    return {each["id"]: each for each in lines(run(PROGRAM, "list", "--json"))}


def clear():
    """Nothing is on hold, and the mailbox is empty."""
    if held():
        run(PROGRAM, "delete", "--all", "--newer", "90d", "--yes", "--reason", "the next test begins")
    run("postsuper", "-d", "ALL")
    until(lambda: not held(), "nothing is on hold")
    if os.path.exists(BOX):
        os.truncate(BOX, 0)


def history(queue_id):
    """[(who, action, reason, detail)] of a message, as `rcptguardq log` says it."""
    return [(each["who"], each["action"], each["reason"], each["detail"]) for each in lines(run(PROGRAM, "log", "--json", queue_id))]


def decided(queue_id):
    """The same without those who only looked, and without what nobody did."""
    return [each for each in history(queue_id) if each[0] is not None and each[1] != "look"]


def reviewer(name, *arguments, code=0):
    """rcptguardq by a reviewer in a shell; what it prints, both streams."""
    done = subprocess.run(["runuser", "-u", name, "--", "sudo", "-n", PROGRAM, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, timeout=120)
    if done.returncode != code:
        raise AssertionError("%s: rcptguardq %s: exit code %d: %s" % (name, " ".join(arguments), done.returncode, done.stdout))
    return done.stdout


def wait_decided(queue_id, count=1):
    """The same once there is a record of so many: it is written after the MTA has done its part."""
    return until(lambda: (lambda found: found if len(found) >= count else None)(decided(queue_id)), "the record of what was decided about %s" % queue_id)


# ---- what was delivered

def delivered(subject):
    """To whom mail with this in its subject was delivered, each as often as it was."""
    if not os.path.exists(BOX):
        return []
    box = mailbox.mbox(BOX, create=False)
    try:
        return sorted(each["Delivered-To"] or "" for each in box if subject in str(each["Subject"]))
    finally:
        box.close()


def returned(sender, words):
    """Whether this sender has a mail with these words."""
    if not os.path.exists(BOX):
        return False
    box = mailbox.mbox(BOX, create=False)
    try:
        return any(each["Delivered-To"] == sender and words in each.as_string() for each in box)
    finally:
        box.close()


def say(text):
    """A line of the test's output that is no result."""
    os.write(1, ("# %s\n" % text).encode())
