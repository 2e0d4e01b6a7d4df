"""What the processes may do, and what they never tell."""

import unittest

from support import processes, settings
from yard import USER, Yard

NET_BIND_SERVICE = 1 << 10  # capability 10, see capabilities(7)
PORT_587 = ("127.0.0.1:1587", "127.0.0.1:587")
DEBUG = ('log = {', 'log = { level = "debug";')


def capabilities(pid, kind="CapEff"):
    return int(processes.status(pid)[kind], 16)


class Confined(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.yard = cls.enterClassContext(Yard(user=USER))

    def each(self):
        for name in ("router", "worker-1", "worker-2"):
            with self.subTest(process=name):
                yield self.yard.pid(name)

    def test_nobody_stays_root(self):
        for pid in [*self.each(), self.yard.pid("redis")]:
            for line in ("Uid", "Gid"):
                ids = processes.status(pid)[line].split()
                self.assertNotIn("0", ids)
            self.assertIn(processes.status(pid)["Groups"], ("",))

    def test_nobody_holds_a_capability(self):
        for pid in self.each():
            for kind in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
                self.assertEqual(capabilities(pid, kind), 0, kind)

    def test_nobody_can_get_new_rights(self):
        for pid in self.each():
            self.assertEqual(processes.status(pid)["NoNewPrivs"], "1")

    def test_mail_flows_all_the_same(self):
        sent = self.yard.submit("you@bigmail.test")
        self.yard.outcome(sent, "delivered")

    def test_others_cannot_open_what_is_ours(self):
        for name in ("run", "spool", "events.log"):
            mode = (self.yard.folder / name).stat().st_mode
            self.assertEqual(mode & 0o077, 0, name)


class LowPort(unittest.TestCase):
    def test_only_the_router_may_bind_low_ports(self):
        with Yard([PORT_587], user=USER) as yard:
            router = yard.pid("router")
            self.assertNotIn("0", processes.status(router)["Uid"].split())
            self.assertEqual(capabilities(router), NET_BIND_SERVICE)
            self.assertEqual(processes.status(router)["NoNewPrivs"], "1")
            for name in ("worker-1", "worker-2"):
                self.assertEqual(capabilities(yard.pid(name)), 0)
            # After the rights are gone, too: a reload binds another one.
            yard.write_config([("127.0.0.1:1465", "127.0.0.1:465")])
            self.assertEqual(yard.command("reload").returncode, 0)


class Secrets(unittest.TestCase):
    def test_passwords_and_bodies_are_in_no_log(self):
        body = "The code is 314159-swordfish.\r\n"
        with Yard([DEBUG]) as yard:
            sent = yard.submit("you@bigmail.test", body=body)
            yard.outcome(sent, "delivered")
            bounced = yard.submit("unknown@bigmail.test", body=body)
            yard.outcome(bounced, "bounced")
            try:
                yard.client(password="wrong-horse").send("a@b.test", "c")
            except OSError:
                pass  # SMTPException is one: refused, as it should be
            yard.stop()
            logs = {path.name: path.read_bytes() for path in
                    (yard.folder / "sendyard.log",
                     yard.folder / "events.log")}
            spool = b"".join(path.read_bytes() for path in
                             (yard.folder / "spool").iterdir()
                             if path.is_file())
            for secret in (settings.PASSWORD, "wrong-horse", "$y$j9T"):
                for name, text in logs.items():
                    self.assertNotIn(secret.encode(), text, name)
                self.assertNotIn(secret.encode(), spool)
            for name, text in logs.items():
                self.assertNotIn(b"swordfish", text, name)


if __name__ == "__main__":
    unittest.main()
