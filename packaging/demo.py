#!/usr/bin/env python3
"""Shows rcptguardd at work behind a private Postfix.  Called by packaging/quickstart.

usage: demo.py BUILD-DIRECTORY

Everything runs on loopback, in a folder of its own that is removed at the end.  A
Postfix that is already there is not touched: only its programs are used.  Exits 1 if
anything differs from what is announced.
"""

import collections
import json
import os
import pathlib
import re
import shutil
import signal
import smtplib
import socket
import subprocess
import sys
import tempfile
import textwrap
import time

EXAMPLES = pathlib.Path(__file__).resolve().parent / "examples"
WAIT = 30  # seconds: no step takes longer unless something is broken
WIDTH = min(shutil.get_terminal_size((100, 24)).columns, 100)
LABEL = 20

MAIN_CF = """\
compatibility_level = 3.5
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/mail.log
maillog_file_prefixes = {folder}
enable_long_queue_ids = yes

myhostname = mail.corp.example
mydomain = corp.example
myorigin = corp.example
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
local_recipient_maps =
smtpd_peername_lookup = no
smtp_dns_support_level = disabled
default_transport = smtp:[127.0.0.1]:{sink_port}

smtpd_milters = unix:{folder}/rcptguard/rcptguard.sock
non_smtpd_milters = $smtpd_milters
milter_default_action = tempfail
"""

MASTER_CF = """\
127.0.0.1:{smtp_port} inet n - n - - smtpd
pickup    unix       n - n 60   1 pickup
cleanup   unix       n - n -    0 cleanup
qmgr      unix       n - n 300  1 qmgr
rewrite   unix       - - n -    - trivial-rewrite
bounce    unix       - - n -    0 bounce
defer     unix       - - n -    0 bounce
trace     unix       - - n -    0 bounce
flush     unix       n - n 1000 0 flush
proxymap  unix       - - n -    - proxymap
smtp      unix       - - n -    - smtp
showq     unix       n - n -    - showq
error     unix       - - n -    - error
retry     unix       - - n -    - error
anvil     unix       - - n -    1 anvil
postlog   unix-dgram n - n -    1 postlogd
"""

RCPTGUARD_CONF = """\
[milter]
socket = unix:{folder}/rcptguard/rcptguard.sock
user = nobody
policy = {folder}/policy

[ledger]
path = {folder}/ledger/ledger.db
"""


class Failure(Exception):
    """Something is not as announced, or could not be started."""


# ---- what a person reads

COLOUR = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def paint(code, text):
    return f"\033[{code}m{text}\033[0m" if COLOUR else text


def bold(text):
    return paint("1", text)


def say(text=""):
    print(text, flush=True)


def show(label, text):
    """A label and its text, wrapped beside it."""
    lines = textwrap.wrap(text, WIDTH - LABEL - 2, break_long_words=True, break_on_hyphens=False) or [""]
    for number, line in enumerate(lines):
        say(f"  {label if number == 0 else '':<{LABEL}}{line}")


def wait_for(what, test):
    """Waits until test() is true and returns what it gave."""
    end = time.monotonic() + WAIT
    while time.monotonic() < end:
        result = test()
        if result:
            return result
        time.sleep(0.02)
    raise Failure(f"waited {WAIT} seconds in vain for {what}")


# ---- the private mail system


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class MailSystem:
    """A Postfix, rcptguardd in front of it, and smtp-sink as the world outside."""

    def __init__(self, build):
        self.build = build
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="rcptguard-demo."))
        self.smtp_port, self.sink_port = free_ports(2)
        self.children = []

    def start(self):
        self.write_files()
        self.start_sink()
        self.start_daemon()
        self.start_postfix()

    def write_files(self):
        values = {"folder": self.folder, "smtp_port": self.smtp_port, "sink_port": self.sink_port}
        self.folder.chmod(0o755)
        for name in ("conf", "queue", "data", "outside", "rcptguard", "ledger"):
            (self.folder / name).mkdir()
        (self.folder / "conf/main.cf").write_text(MAIN_CF.format(**values))
        (self.folder / "conf/master.cf").write_text(MASTER_CF.format(**values))
        (self.folder / "rcptguard.conf").write_text(RCPTGUARD_CONF.format(**values))
        for name in ("policy", "freemail.domains"):
            shutil.copyfile(EXAMPLES / name, self.folder / name)
        shutil.chown(self.folder / "data", "postfix")
        shutil.chown(self.folder / "outside", "nobody")
        shutil.chown(self.folder / "ledger", "nobody")
        (self.folder / "ledger").chmod(0o700)
        shutil.chown(self.folder / "rcptguard", "nobody", "postfix")
        (self.folder / "rcptguard").chmod(0o2750)

    def spawn(self, name, command):
        """Starts a program of ours; what it prints goes into NAME.log."""
        with open(self.folder / f"{name}.log", "wb") as log:
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        self.children.append(child)
        return child

    def started(self, name, child, test):
        def ready():
            if child.poll() is not None:
                raise Failure(f"{name} did not start:\n{self.log(name)}")
            return test()

        wait_for(f"{name} to start", ready)

    def log(self, name):
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def start_sink(self):
        template = str(self.folder / "outside" / "mail.")
        sink = self.spawn("smtp-sink", ["smtp-sink", "-u", "nobody", "-d", template, f"127.0.0.1:{self.sink_port}", "100"])
        self.started("smtp-sink", sink, lambda: listens(self.sink_port))

    def start_daemon(self):
        conf = str(self.folder / "rcptguard.conf")
        daemon = self.spawn("rcptguardd", [str(self.build / "rcptguardd"), "-f", "-c", conf])
        self.started("rcptguardd", daemon, (self.folder / "rcptguard/rcptguard.sock").is_socket)

    def start_postfix(self):
        postfix = self.spawn("postfix", ["postfix", "-c", str(self.folder / "conf"), "start-fg"])
        self.started("postfix", postfix, lambda: listens(self.smtp_port))

    def stop(self):
        """Ends what start() started, by its id, the last first, and removes the folder."""
        for child in reversed(self.children):
            if child.poll() is None:
                os.kill(self.master() if child.args[0] == "postfix" else child.pid, signal.SIGTERM)
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def master(self):
        """The id of Postfix's master(8), which ends its own daemons; `postfix start-fg` ends with it."""
        try:
            return int((self.folder / "queue/pid/master.pid").read_text())
        except (OSError, ValueError):
            return self.children[-1].pid  # it never came that far

    # what can be seen of it

    def queue(self):
        """The messages in Postfix's queue, as postqueue(1) tells."""
        command = ["postqueue", "-c", str(self.folder / "conf"), "-j"]
        output = subprocess.run(command, check=True, capture_output=True, text=True, timeout=WAIT).stdout
        return [json.loads(line) for line in output.splitlines()]

    def held(self):
        return [entry for entry in self.queue() if entry["queue_name"] == "hold"]

    def settled(self):
        """Whether Postfix has delivered all that it may deliver."""
        return all(entry["queue_name"] == "hold" for entry in self.queue())

    def verdicts(self):
        return [line for line in self.log("rcptguardd").splitlines() if " verdict=" in line]

    def outside(self):
        """What smtp-sink was given: (envelope sender, envelope recipients, text) of each transaction."""
        found = []
        for path in sorted((self.folder / "outside").iterdir(), key=lambda each: each.stat().st_mtime):
            text = path.read_text(errors="replace")
            sender = re.search(r"^X-Mail-Args: <(.*?)>", text, re.M)
            found.append((sender.group(1) if sender else None, re.findall(r"^X-Rcpt-Args: <(.*?)>", text, re.M), text))
        return found


# ---- the messages

Message = collections.namedtuple("Message", "title how headers envelope expect")

# What is announced of a message: Postfix's reply, rcptguardd's verdict and rule, how many
# got it, whether it is held, and whether its sender gets a bounce.
Expected = collections.namedtuple("Expected", "reply verdict rule delivered held bounced")

SENDER = "care@corp.example"


def customers(count):
    return [f"customer{n}@mail{n}.example" for n in range(1, count + 1)]


def strangers(count):
    return [f"stranger{n}@home{n}.example" for n in range(1, count + 1)]


def cc(addresses):
    return {"To": SENDER, "Cc": ",\n\t".join(addresses)}


def messages():
    return [
        Message("450 customers, all of them in Cc", "SMTP", cc(customers(450)), [SENDER] + customers(450),
                Expected(550, "reject", "mass-disclosure", 0, False, False)),
        Message("12 strangers in Cc", "SMTP", cc(strangers(12)), strangers(12),
                Expected(250, "quarantine", "wide-cc", 0, True, False)),
        Message("the 450 customers again, now in Bcc", "SMTP", {"To": SENDER}, customers(450),
                Expected(250, "accept", "default", 450, False, False)),
        Message("450 customers in Cc, from a script on this machine", "sendmail(1)", cc(customers(450)), None,
                Expected(None, "reject", "mass-disclosure", 0, False, True)),
    ]


def render(message, number):
    headers = {"From": f"Customer Care <{SENDER}>", **message.headers, "Subject": "We are sorry",
               "Message-ID": f"<demo{number}@corp.example>"}
    return "".join(f"{name}: {value}\n" for name, value in headers.items()) + "\nDear customer,\n"


def send_by_smtp(system, message, text):
    """Gives Postfix's answer to the end of the message: a code and its text."""
    with smtplib.SMTP("127.0.0.1", system.smtp_port, "desk.corp.example", timeout=WAIT) as client:
        client.ehlo_or_helo_if_needed()
        client.mail(SENDER)
        for recipient in message.envelope:
            code, answer = client.rcpt(recipient)
            if code != 250:
                raise Failure(f"RCPT TO:<{recipient}> was answered {code} {answer.decode()}")
        code, answer = client.data(text)
        return code, answer.decode()


def send_by_sendmail(system, text):
    command = ["postconf", "-c", str(system.folder / "conf"), "-hx", "sendmail_path"]
    sendmail = subprocess.run(command, check=True, capture_output=True, text=True, timeout=WAIT).stdout.strip()
    subprocess.run([sendmail, "-C", str(system.folder / "conf"), "-f", SENDER, "-t"], input=text, text=True, check=True,
                   timeout=WAIT)


# ---- one message after the other


def differences(expected, seen):
    return [f"{name}: announced {getattr(expected, name)}, seen {getattr(seen, name)}"
            for name in Expected._fields if getattr(expected, name) != getattr(seen, name)]


def field(line, name):
    match = re.search(rf" {name}=(\S+)", line)
    return match.group(1) if match else None


def bounce_reason(text):
    """What a bounce says of the first recipient."""
    reason = re.search(r"^<\S+@\S+>: (.*?)\n\n", text.replace("\r", ""), re.M | re.S)
    if not reason or "Nothing was sent." not in " ".join(reason.group(1).split()):
        raise Failure("the bounce does not hold the rule's text")
    return " ".join(reason.group(1).split())


def show_delivery(new, held, system):
    """Shows where the message went, and gives (delivered to, is held, was bounced)."""
    recipients = {address for sender, addresses, _ in new if sender == SENDER for address in addresses}
    bounces = [text for sender, addresses, text in new if sender == "" and addresses == [SENDER]]
    for entry in held:
        show("held queue", f"{entry['queue_id']}  from {entry['sender']} to {len(entry['recipients'])} recipients")
    for text in bounces:
        show("bounced to sender", bounce_reason(text))
    show("delivered to", f"{len(recipients)} recipients" if recipients else "nobody")
    return len(recipients), bool(held), bool(bounces)


def run(system, message, number):
    """Sends one message and shows what becomes of it.  Gives what differs from what was announced."""
    say()
    say(bold(f"{number}. {message.title} ({message.how})"))
    lines, mails, holds = system.verdicts(), system.outside(), system.held()
    text = render(message, number)
    code = None
    if message.how == "SMTP":
        code, answer = send_by_smtp(system, message, text)
        show("Postfix answers", f"{code} {answer}")
    else:
        send_by_sendmail(system, text)
    line = wait_for("the line in the log", lambda: system.verdicts()[len(lines):])[0]
    line = line[re.search(r"\S+: verdict=", line).start():]
    show("rcptguardd logs", line)
    if message.expect.bounced:
        wait_for("the bounce", lambda: len(system.outside()) > len(mails))
    wait_for("the delivery", system.settled)
    old = {entry["queue_id"] for entry in holds}
    held = [entry for entry in system.held() if entry["queue_id"] not in old]
    seen = Expected(code, field(line, "verdict"), field(line, "rule"),
                    *show_delivery(system.outside()[len(mails):], held, system))
    return differences(message.expect, seen)


def show_logs(system):
    for name in ("rcptguardd", "mail"):
        lines = system.log(name).splitlines()[-15:]
        if lines:
            say(f"\n{name}.log ends with:\n" + textwrap.indent("\n".join(lines), "  "))


def run_all(build):
    system = MailSystem(build)
    try:
        say("Starting a private Postfix, rcptguardd in front of it, and smtp-sink as the world outside,")
        say(f"all on 127.0.0.1 and in {system.folder}.")
        say("The policy, packaging/examples/policy, holds from 10 outside parties and refuses from 50.")
        system.start()
        failures = []
        for number, message in enumerate(messages(), 1):
            for difference in run(system, message, number):
                show(bold("NOT AS ANNOUNCED"), difference)
                failures.append(difference)
        return failures
    except Failure:
        show_logs(system)
        raise
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        system.stop()


def interrupted(number, _frame):
    raise Failure(f"interrupted by {signal.Signals(number).name}")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    build = pathlib.Path(sys.argv[1]).resolve()
    try:
        failures = run_all(build)
    except (Failure, OSError, subprocess.SubprocessError, smtplib.SMTPException) as error:
        sys.exit(f"demo: {error}")
    say()
    if failures:
        sys.exit(f"demo: {len(failures)} of the results are not as announced")
    say("All as announced; everything that was started is stopped and removed.")
    say(f"Next: judge a message of your own with  {os.path.relpath(build)}/rcptguard explain -p packaging/examples/policy FILE")
    say("      and put rcptguardd in front of your own Postfix: see README.md.")


main()
