"""The front door under those who push, dawdle, guess, and pull the plug."""

import os
import resource
import select
import selectors
import signal
import subprocess
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

from support import load, processes, settings
from support.places import program
from support.wait import wait_until
from support.wire import Wire
from yard import Yard, pause

SENDER, RECIPIENT = "app@acme.test", "you@bigmail.test"
HEADER = f"From: {SENDER}\r\nSubject: door\r\n\r\n"
LINE = "x" * 98 + "\r\n"


def listeners(options):
    """Changes that give both listeners these settings."""
    return [(f'tls = "{kind}"; }}', f'tls = "{kind}"; {options} }}')
            for kind in ("starttls", "implicit")]


class Door(unittest.TestCase):
    """Tests at one yard, with options on its listeners."""
    OPTIONS = ""
    CHANGES = ()

    @classmethod
    def setUpClass(cls):
        cls.yard = cls.enterClassContext(
            Yard([*listeners(cls.OPTIONS), *cls.CHANGES]))

    def wire(self, source=None, **options):
        source = source and self.yard.net.address(source)
        return self.enterContext(Wire(
            (self.yard.host, settings.SUBMISSION), source, **options))

    def session(self, source=None):
        """A session that is logged in."""
        wire = self.wire(source)
        self.assertEqual(wire.log_in("acme-app", settings.PASSWORD)[0], 235)
        return wire

    def check_served(self):
        sent = self.yard.submit(RECIPIENT)
        self.assertEqual(sent.code, 250, sent.reply)


class Limits(Door):
    OPTIONS = "max_connections = 5; max_connections_per_ip = 3;"

    def test_a_client_has_its_share_and_all_have_the_total(self):
        mine = [self.wire("9.1") for _ in range(3)]
        self.assertEqual(self.wire("9.1").greeting,
                         (421, "4.7.0 Too many connections"))
        others = [self.wire("9.2") for _ in range(2)]
        self.assertEqual(self.wire("9.3").greeting[0], 421)
        for wire in mine + others:
            self.assertEqual(wire.greeting[0], 220)
            self.assertEqual(wire.say("NOOP")[0], 250)
        mine.pop().say("QUIT")
        wait_until(lambda: self.wire("9.1").greeting[0] == 220, 5,
                   "nobody else was let in")


class Sizes(Door):
    OPTIONS = 'max_message_size = "64KB"; max_recipients = 100;'

    def send(self, text):
        wire = self.session()
        self.assertEqual(wire.begin(SENDER, RECIPIENT)[0], 354)
        wire.send(text)
        reply = wire.say("\r\n.")
        self.assertEqual(wire.say("NOOP")[0], 250)
        return reply

    def test_messages_over_the_size_are_refused(self):
        self.assertEqual(self.send(HEADER + LINE * 700)[0], 552)
        self.assertEqual(self.send(HEADER + LINE * 600)[0], 250)
        wire = self.session()
        self.assertEqual(wire.say(f"MAIL FROM:<{SENDER}> SIZE=65537")[0], 552)
        self.assertEqual(wire.say(f"MAIL FROM:<{SENDER}> SIZE=65536")[0], 250)

    def test_what_could_not_be_sent_on_is_refused(self):
        self.assertEqual(self.send(HEADER + "x" * 999)[0], 554)
        self.assertEqual(self.send(HEADER + "x" * 998)[0], 250)
        self.assertEqual(self.send(HEADER + "a\0b")[0], 550)

    def test_recipients_over_the_limit_come_later(self):
        wire = self.session()
        wire.say(f"MAIL FROM:<{SENDER}>")
        codes = [wire.say(f"RCPT TO:<u{n}@bigmail.test>")[0]
                 for n in range(102)]
        self.assertEqual(codes, [250] * 100 + [452] * 2)
        self.assertEqual(wire.say("DATA")[0], 354)
        wire.send(HEADER)
        self.assertEqual(wire.say(".")[0], 250)


class Memory(Door):
    OPTIONS = 'max_message_size = "1MB";'
    CHANGES = [("workers = 2;", 'workers = 2; max_incoming_memory = "1MB";')]

    def test_messages_that_come_in_share_it(self):
        first, second = self.session(), self.session()
        for wire in (first, second):
            self.assertEqual(wire.begin(SENDER, RECIPIENT)[0], 354)
        first.send(HEADER + LINE * 6000)
        wait_until(lambda: self.is_full(first), 5, "it holds too little")
        second.send(HEADER + LINE * 2000)
        self.assertEqual(second.say(".")[:2],
                         (452, "4.3.1 No memory for mail now"))
        self.assertEqual(second.say(f"MAIL FROM:<{SENDER}>")[0], 452)
        self.assertEqual(first.say(".")[0], 250)
        self.assertEqual(second.begin(SENDER, RECIPIENT)[0], 354)
        second.send(HEADER + LINE * 6000)
        self.assertEqual(second.say(".")[0], 250)

    def is_full(self, wire):
        """Has it been read? Another session learns of it."""
        with Wire((self.yard.host, settings.SUBMISSION)) as other:
            other.log_in("acme-app", settings.PASSWORD)
            return other.say(f"MAIL FROM:<{SENDER}>")[0] == 452

    def test_who_leaves_gives_it_back(self):
        first = self.session()
        self.assertEqual(first.begin(SENDER, RECIPIENT)[0], 354)
        first.send(HEADER + LINE * 6000)
        wait_until(lambda: self.is_full(first), 5, "it holds too little")
        first.close()
        wait_until(lambda: not self.is_full(first), 5, "it is still held")


class Dawdlers(Door):
    OPTIONS = ('max_connections = 3000; max_connections_per_ip = 3000; '
               'session_timeout = "4s"; data_timeout = "2s";')
    COUNT = 1000

    def test_a_thousand_slow_ones_end_while_a_good_one_is_served(self):
        began = time.monotonic()
        slow = [self.wire(f"8.{n % 250}", greeting=False)
                for n in range(self.COUNT)]
        ended = self.drip(slow, began)
        self.assertEqual(len(ended), self.COUNT)
        self.assertLess(max(ended), 10)
        self.assertGreater(min(ended), 3)

    def drip(self, slow, began):
        """A byte a second from each until it is cut; when each was."""
        ended = []
        with selectors.DefaultSelector() as selector:
            for wire in slow:
                selector.register(wire, selectors.EVENT_READ, wire)
            while selector.get_map() and time.monotonic() - began < 20:
                for key in list(selector.get_map().values()):
                    self.send_byte(key.data)
                self.check_served()
                for key, _ in selector.select(1):
                    wire = key.data
                    self.assertIn(wire.reply()[0], (220, 421, 0))
                    if wire.reply()[0] in (421, 0):
                        ended.append(time.monotonic() - began)
                        selector.unregister(key.fileobj)
        return ended

    @staticmethod
    def send_byte(wire):
        try:
            wire.send("N")
        except OSError:
            pass  # cut; its end is read next

    def test_a_text_that_drips_is_cut(self):
        wire = self.session()
        self.assertEqual(wire.begin(SENDER, RECIPIENT)[0], 354)
        began = time.monotonic()
        while not select.select([wire], [], [], 0.1)[0]:
            self.assertLess(time.monotonic() - began, 8)
            wire.send("x")
        self.assertEqual(wire.reply()[0], 421)
        self.assertLess(time.monotonic() - began, 4)
        self.check_served()


class Descriptors(Door):
    def test_the_door_rests_without_and_opens_again(self):
        router = self.yard.pid("router")
        usual = resource.prlimit(router, resource.RLIMIT_NOFILE)
        open_now = len(os.listdir(f"/proc/{router}/fd"))
        resource.prlimit(router, resource.RLIMIT_NOFILE,
                         (open_now + 10, usual[1]))
        wires = [self.wire(greeting=False) for _ in range(40)]
        wait_until(lambda: "door_rests" in self.yard.log, 5, "no shortage")
        before = processes.cpu_seconds(router)
        pause(2)
        self.assertLess(processes.cpu_seconds(router) - before, 0.4)
        self.assertLess(self.yard.log.count("door_rests"), 100)
        for wire in wires:
            wire.close()
        self.check_served()


class Ending(Door):
    def test_last_words_reach_those_who_wait(self):
        idle, busy = self.session(), self.session()
        self.assertEqual(busy.begin(SENDER, RECIPIENT)[0], 354)
        os.kill(self.yard.serve_pid, signal.SIGTERM)
        self.assertEqual(idle.reply()[0], 421)
        self.assertEqual(idle.reply()[0], 0)
        busy.send(HEADER)
        code, text = busy.say(".")
        self.assertEqual(code, 250)
        self.assertEqual(busy.reply()[0], 421)
        self.assertEqual(self.yard.wait(), 0)
        self.yard.start()
        wait_until(lambda: self.yard.events(
            "delivered", id=text.split()[-1]), 20, "it was lost")


    def test_who_does_not_end_is_cut(self):
        busy = self.session()
        self.assertEqual(busy.begin(SENDER, RECIPIENT)[0], 354)
        busy.send(HEADER)
        began = time.monotonic()
        self.assertEqual(self.yard.stop(), 0)
        self.assertLess(time.monotonic() - began, 15)
        self.assertEqual(busy.reply()[0], 0)
        self.yard.start()


class EndingUnderLoad(unittest.TestCase):
    def test_every_250_is_on_disk(self):
        with Yard(keep_messages=False) as yard, \
                load.Load(yard, load.messages()) as flow:
            flow.begin()
            flow.wait_sent(load.messages() // 4)
            self.assertEqual(yard.stop(), 0)
            done = subprocess.run(
                [program("sendyard"), "spool", "verify",
                 yard.folder / "spool"],
                capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            yard.start()
            audit = flow.finish()
            self.assertEqual((audit["lost"], audit["invented"]), (0, 0), audit)


class Guessing(Door):
    STRANGERS = 70
    ALLOWED = 50  # tries of strangers at an account in an hour

    def try_password(self, source, password, account="acme-app"):
        with Wire((self.yard.host, settings.SUBMISSION),
                  self.yard.net.address(source), timeout_s=30) as wire:
            return wire.log_in(account, password)[0]

    def test_strangers_are_braked_and_the_owner_is_not(self):
        self.assertEqual(self.try_password("9.9", settings.PASSWORD), 235)
        with ThreadPoolExecutor(20) as pool:
            codes = list(pool.map(
                lambda n: self.try_password(f"7.{n}", "guess"),
                range(1, self.STRANGERS + 1)))
        self.assertEqual(codes.count(535), self.ALLOWED)
        self.assertEqual(codes.count(454), self.STRANGERS - self.ALLOWED)
        self.assertEqual(self.try_password("7.200", settings.PASSWORD), 454)
        # Told wrong, the owner's tries are still checked, not just remembered.
        self.assertEqual(self.try_password("9.9", "wrong"), 535)
        self.assertEqual(self.try_password("9.9", settings.PASSWORD), 235)
        self.assertEqual(self.try_password(
            "7.201", settings.PASSWORD, "globex-app"), 235)

    def test_a_wrong_password_is_told_later_each_time(self):
        times = []
        for _ in range(3):
            began = time.monotonic()
            self.assertEqual(self.try_password("6.1", "x", "nobody"), 535)
            times.append(time.monotonic() - began)
        for took, wanted in zip(times, (1, 2, 4)):
            self.assertTrue(wanted <= took < wanted + 0.9, times)


class Encryption(Door):
    def shake(self, *options, port=settings.SUBMISSIONS, said="QUIT\n"):
        start = (["-starttls", "smtp"] if port == settings.SUBMISSION else [])
        done = subprocess.run(
            ["openssl", "s_client", "-connect", f"{self.yard.host}:{port}",
             "-cipher", "DEFAULT:@SECLEVEL=0", *start, *options],
            input=said, capture_output=True, text=True, timeout=10,
            check=False)
        return done.stdout + done.stderr

    def test_old_versions_are_refused(self):
        for port in (settings.SUBMISSION, settings.SUBMISSIONS):
            for version in ("-tls1", "-tls1_1"):
                with self.subTest(port=port, version=version):
                    self.assertIn("alert protocol version",
                                  self.shake(version, port=port))
            for version, name in (("-tls1_2", "TLSv1.2"),
                                  ("-tls1_3", "TLSv1.3")):
                with self.subTest(port=port, version=version):
                    self.assertIn(f"New, {name}, Cipher is",
                                  self.shake(version, port=port))

    def test_nobody_renegotiates(self):
        said = self.shake("-tls1_2", said="R\n")
        self.assertIn("RENEGOTIATING", said)
        self.assertIn("no renegotiation", said)

    def test_a_session_of_one_port_is_none_at_the_other(self):
        ticket = self.yard.folder / "ticket.pem"
        for version in ("-tls1_2", "-tls1_3"):
            with self.subTest(version=version):
                ticket.unlink(missing_ok=True)
                self.shake(version, "-sess_out", ticket,
                           port=settings.SUBMISSION, said="Q\n")
                if not ticket.exists():
                    continue  # nothing to come back with
                self.assertIn("New, TLS", self.shake(
                    version, "-sess_in", ticket))
                self.assertIn("Reused, TLS", self.shake(
                    version, "-sess_in", ticket, port=settings.SUBMISSION))


class Certificates(Door):
    def certificate(self):
        with Wire((self.yard.host, settings.SUBMISSION)) as wire:
            return wire.start_tls()

    def test_new_connections_get_the_new_one_and_sessions_go_on(self):
        before = self.certificate()
        running = self.session()
        self.assertEqual(running.begin(SENDER, RECIPIENT)[0], 354)
        self.yard.make_certificate()
        self.assertEqual(self.yard.command("reload").returncode, 0)
        self.assertNotEqual(self.certificate(), before)
        running.send(HEADER)
        self.assertEqual(running.say(".")[0], 250)
        self.assertEqual(running.begin(SENDER, RECIPIENT)[0], 354)
        running.send(HEADER)
        self.assertEqual(running.say(".")[0], 250)

    def test_a_key_that_does_not_match_changes_nothing(self):
        before = self.certificate()
        key = self.yard.folder / "tls" / "key.pem"
        good = key.read_bytes()
        subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-out", key],
                       check=True, capture_output=True)
        self.yard.write_config([('name = "globex-app"', 'name = "renamed"')])
        answer = self.yard.command("reload")
        self.assertNotEqual(answer.returncode, 0)
        self.assertRegex(answer.stdout + answer.stderr, "(?i)key.*match")
        self.assertEqual(self.certificate(), before)
        self.assertEqual(self.wire().log_in("globex-app",
                                            settings.PASSWORD)[0], 235)
        key.write_bytes(good)
        self.yard.write_config()
        self.assertEqual(self.yard.command("reload").returncode, 0)


del Door  # it has no tests of its own

if __name__ == "__main__":
    unittest.main()
