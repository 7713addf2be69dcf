"""The review in a browser: its manual, units, configuration, proxy and packages agree.  What they do is in packaging/try-web."""

import configparser
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import daemon
import tap

sys.path.insert(0, os.path.join(daemon.SOURCE, "tests", "manual"))
import page

SOURCE = pathlib.Path(daemon.SOURCE)
MANUAL = "rcptguard-web(7)"
SOCKET = "rcptguard-web.socket"


def read(name):
    return (SOURCE / name).read_text()


def setting(unit, key):
    """The values of a key of a unit."""
    return re.findall(r"(?m)^%s=(.*)$" % re.escape(key), read("packaging/systemd/" + unit))


def configuration():
    parser = configparser.ConfigParser()
    parser.optionxform = str
    parser.read_string(read("packaging/web/cockpit.conf"))
    return parser


def commented():
    """The keys that an administrator may take the comment sign from, and their values."""
    return dict(re.findall(r"(?m)^#(\w+) = (.*)$", read("packaging/web/cockpit.conf")))


class Web(unittest.TestCase):
    def setUp(self):
        self.tree = page.tree(MANUAL)
        self.text = page.read(MANUAL)

    def documented(self, section, macro):
        return [word for head, _body in page.items(page.section(self.tree, section)) for word in page.marked(head, macro)]

    def test_keys(self):
        """the manual has each key of cockpit.conf, and no other"""
        keys = {key for section in configuration().sections() for key in configuration()[section]} | set(commented())
        self.assertGreaterEqual(len(keys), 8)
        self.assertEqual(set(self.documented("CONFIGURATION", "Ic")), keys)

    def test_site(self):
        """one page, no other machine, and an end for those who went away"""
        web = configuration()
        self.assertEqual(dict(web["WebService"]), {"Shell": "/rcptguard/index.html", "LoginTitle": "Review of held mail", "LoginTo": "no", "AllowMultiHost": "no"})
        self.assertEqual(dict(web["Session"]), {"IdleTimeout": "15"})
        self.assertEqual(set(web.sections()), {"WebService", "Session", "Basic", "Negotiate"})

    def test_units(self):
        """the manual has each unit, and no other"""
        units = {path.name.removesuffix(".in") for path in (SOURCE / "packaging/systemd").glob("rcptguard-web*") if path.suffix != ".sysusers"}
        self.assertEqual(set(self.documented("UNITS", "Pa")), units)
        for unit in units:
            path = SOURCE / "packaging/systemd" / unit
            self.assertIn("man:rcptguard-web(7)", (path if path.exists() else path.with_name(unit + ".in")).read_text())

    def test_address(self):
        """it listens on the loopback interface alone, at the port that every document names"""
        self.assertEqual(setting(SOCKET, "ListenStream"), ["127.0.0.1:9443"])
        self.assertIn("\n.Li 127.0.0.1:9443 .\n", self.text)
        self.assertIn("https://localhost:9443", self.text)
        self.assertIn("https://localhost:9443", read("README.md"))
        self.assertIn(" proxy_pass https://127.0.0.1:9443;\n", read("packaging/web/nginx-rcptguard-web.conf"))

    def test_sessions(self):
        """the web server asks for sessions where the other socket listens, which its user alone can open"""
        path, = setting("rcptguard-web-session.socket", "ListenStream")
        self.assertEqual([dict(configuration()[section]) for section in ("Basic", "Negotiate")], [{"UnixPath": path}] * 2)
        self.assertIn(path, self.text)
        user, = setting("rcptguard-web.service.in", "User")
        self.assertEqual(setting("rcptguard-web-session.socket", "SocketGroup"), [user])
        self.assertEqual(setting("rcptguard-web-session.socket", "SocketMode"), ["0660"])
        self.assertRegex(read("packaging/systemd/rcptguard-web.sysusers"), r"(?m)^u %s " % user)

    def test_certificate(self):
        """the links lead to where Cockpit's program puts the copy"""
        with tempfile.TemporaryDirectory(prefix="rcptguard-web.") as place:
            env = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "DESTDIR")}
            done = subprocess.run(["make", "-s", "-C", daemon.BUILD, "install-web", "DESTDIR=" + place, "sysconfdir=/etc"], env=env, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
            self.assertEqual((done.returncode, done.stdout), (0, ""))
            folder = pathlib.Path(place, "etc/rcptguard/web/cockpit")
            runtime, = setting("rcptguard-web.service.in", "RuntimeDirectory")
            self.assertEqual({path.name: os.readlink(path) for path in (folder / "ws-certs.d").iterdir()},
                             {"0-cockpit." + kind: "/run/%s/server/%s" % (runtime, kind) for kind in ("cert", "key")})
            self.assertEqual((folder / "cockpit.conf").read_text(), read("packaging/web/cockpit.conf"))
            self.assertEqual(setting("rcptguard-web.service.in", "Environment"), ["XDG_CONFIG_DIRS=@sysconfdir@/rcptguard/web"])

    def test_proxy(self):
        """the proxy sets the headers that cockpit.conf can be told to believe, for the name in Origins"""
        proxy = read("packaging/web/nginx-rcptguard-web.conf")
        self.assertEqual(set(commented()), {"Origins", "ProtocolHeader", "ForwardedForHeader"})
        said = dict(re.findall(r"(?m)^#     (\w+) = (.*)$", proxy))
        self.assertEqual(set(said), set(commented()))
        for key in "ProtocolHeader", "ForwardedForHeader":
            self.assertEqual(said[key], commented()[key])
            self.assertRegex(proxy, r"(?m)^ +proxy_set_header %s \$(scheme|remote_addr);$" % said[key])
        self.assertEqual(said["Origins"], "https://" + re.search(r"(?m)^ +server_name (.*);$", proxy).group(1))

    def test_packages(self):
        """no package enables or starts it, and both need the milter of the same version"""
        self.assertRegex(read("packaging/debian/rules"), r"(?m)^\tdh_installsystemd -prcptguard-cockpit --no-enable --no-start .*\brcptguard-web\.socket$")
        self.assertNotRegex(read("packaging/debian/rcptguard-cockpit.postinst"), r"(?m)^\s*(systemctl|deb-systemd-\w+) .*\b(enable|start)\b")
        control = re.search(r"(?ms)^Package: rcptguard-cockpit\n(.*?)(?:\n\n|\Z)", read("packaging/debian/control")).group(1)
        self.assertIn("\nDepends: cockpit-bridge, cockpit-ws, rcptguard-milter (= ${binary:Version}), sudo, ", "\n" + control)
        self.assertTrue(control.startswith("Architecture: all\n"))
        spec = re.search(r"(?ms)^%package cockpit\n(.*?)\n\n", read("packaging/rpm/rcptguard.spec")).group(1)
        self.assertIn("BuildArch:      noarch\n", spec)
        self.assertEqual(set(re.findall(r"(?m)^Requires: +(.*)$", spec)), {"%{name}-milter = %{version}-%{release}", "cockpit-bridge", "cockpit-ws", "sudo"})


if __name__ == "__main__":
    tap.main()
