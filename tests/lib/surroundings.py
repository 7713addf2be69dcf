"""Runs a test program in surroundings of its own: host name, network, /dev.

    if __name__ == "__main__":
        surroundings.enter()
        tap.main()

The network is a loopback alone, which holds a few addresses more, so that a
connection can come from outside (203.0.113.0/24 and the like are nobody's).
/dev has what programs need, terminals of its own, and no log: a test that binds /dev/log reads what
its own programs write to syslog, and nothing else.  The host is not touched.
"""

import contextlib
import fcntl
import os
import shutil
import socket
import stat
import struct
import subprocess
import sys

HOST = "mail.me.example"

# Where connections come from, beside 127.0.0.1: outside, and a network that a policy may trust.
ADDRESSES = "192.0.2.7", "10.1.2.3"

_ENTERED = "RCPTGUARD_TEST_SURROUNDINGS"

# How many datagrams a new socket keeps: of the network, which is ours.
_LOG_LENGTH = "/proc/sys/net/unix/max_dgram_qlen"

# What daemons and Python need of /dev; the rest of it is not there.
_DEVICES = "null", "zero", "full", "random", "urandom", "tty"
_LINKS = {"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2"}

_SIOCSIFADDR, _SIOCGIFFLAGS, _SIOCSIFFLAGS = 0x8916, 0x8913, 0x8914
_IFF_UP = 1


def enter(folders=()):
    """Starts the program again in its own surroundings, as root; without root there is no way, and the tests say so.
    Of the folders it has copies that it may change."""
    if os.geteuid() != 0:
        return
    if _ENTERED not in os.environ:
        # Unchanged: the root of a chroot is no mount, so it has no propagation that could be changed.
        arguments = ["unshare", "--mount", "--uts", "--net", "--propagation", "unchanged", sys.executable, *sys.argv]
        os.execvpe(arguments[0], arguments, dict(os.environ, **{_ENTERED: "1"}))
    socket.sethostname(HOST)
    _network()
    _devices()
    if folders:
        _own_folders(folders)


def entered():
    return _ENTERED in os.environ


@contextlib.contextmanager
def wide_logs():
    """As systemd does at boot, for the sockets that are made here: the kernel's 10 lines are soon in a log's, and what finds it full is lost, or waits."""
    with open(_LOG_LENGTH, encoding="ascii") as file:
        before = file.read()
    set_log_length("512\n")
    try:
        yield
    finally:
        set_log_length(before)


def set_log_length(lines):
    with contextlib.suppress(OSError), open(_LOG_LENGTH, "w", encoding="ascii") as file:
        file.write(lines)


def _interface(name, data):
    return struct.pack("16s24s", name.encode(), data)


def _network():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        flags = struct.unpack("16sH22x", fcntl.ioctl(control, _SIOCGIFFLAGS, _interface("lo", b"")))[1]
        fcntl.ioctl(control, _SIOCSIFFLAGS, _interface("lo", struct.pack("H", flags | _IFF_UP)))
        for number, address in enumerate(ADDRESSES):
            data = struct.pack("HH4s", socket.AF_INET, 0, socket.inet_aton(address))
            fcntl.ioctl(control, _SIOCSIFADDR, _interface("lo:%d" % number, data))


def _devices():
    subprocess.run(["mount", "--make-private", "/dev"], check=True)
    nodes = {name: os.stat("/dev/" + name).st_rdev for name in _DEVICES if os.path.exists("/dev/" + name)}
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/dev"], check=True)
    for name, device in nodes.items():
        os.mknod("/dev/" + name, 0o666 | stat.S_IFCHR, device)
        os.chmod("/dev/" + name, 0o666)
    for name, target in _LINKS.items():
        os.symlink(target, "/dev/" + name)
    os.mkdir("/dev/pts")
    subprocess.run(["mount", "-t", "devpts", "-o", "newinstance,ptmxmode=666", "devpts", "/dev/pts"], check=True)
    os.symlink("pts/ptmx", "/dev/ptmx")
    os.mkdir("/dev/shm")
    os.chmod("/dev/shm", 0o1777)


def _copy(folder, copy):
    """All that is there to the end: other tests remove theirs meanwhile."""
    done = subprocess.run(["cp", "-a", folder + "/.", copy], stderr=subprocess.PIPE, env={**os.environ, "LC_ALL": "C"}, text=True, check=False)
    others = [line for line in done.stderr.splitlines() if not line.endswith("No such file or directory")]
    if done.returncode != 0 and others:
        raise OSError("\n".join(others))


def _own_folders(folders):
    """A root of its own, in which these are copies."""
    root = "/dev/root"
    os.mkdir(root)
    # Below /dev, which is private already: nothing of it is seen elsewhere.
    subprocess.run(["mount", "--rbind", "/", root], check=True)
    subprocess.run(["mount", "--make-rprivate", root], check=True)
    for number, folder in enumerate(folders):
        copy = "/dev/copy%d" % number
        os.mkdir(copy)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", copy], check=True)
        _copy(folder, copy)
        subprocess.run(["mount", "--move", copy, root + folder], check=True)
    os.chroot(root)
    os.chdir("/")


def available():
    """Whether unshare(1) and mount(8) are there."""
    return shutil.which("unshare") is not None and shutil.which("mount") is not None
