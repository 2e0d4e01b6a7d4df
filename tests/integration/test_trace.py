"""`sendyard trace`: what is said to receivers, while it is said."""

import contextlib
import re
import subprocess
import time
import unittest

from support.places import program
from support.wait import wait_until
from yard import Yard

USAGE = 64
SECRET = "the-words-of-this-letter-are-private"
# worker-1#3 n1 mx.plain.test [127.1.2.3]     12 ms > EHLO n1.sendyard.test
LINE = re.compile(r"(worker-\d)#(\d+) (\S+) (\S+) \[(\S+)\] +(\d+) ms "
                  r"([<>-]) (.*)")


class Tracer:
    """One `sendyard trace` that runs."""

    def __init__(self, yard, *arguments):
        self._file = open(yard.folder / f"trace-{time.monotonic_ns()}", "wb+")
        self.process = subprocess.Popen(
            [program("sendyard"), "trace", "--config", yard.config,
             *arguments], stdout=self._file, stderr=subprocess.STDOUT)
        wait_until(lambda: "workers" in self.text, 5, lambda: self.text)
        time.sleep(0.3)  # the workers hear of it

    @property
    def text(self):
        with open(self._file.name, errors="replace") as file:
            return file.read()

    def lines(self):
        return [match.groups() for match in
                (LINE.fullmatch(line) for line in self.text.splitlines())
                if match]

    def talk(self):
        return [f"{line[6]} {line[7]}" for line in self.lines()]

    def close(self):
        self.process.terminate()
        self.process.wait(10)
        self._file.close()


class Trace(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.yard = cls.enterClassContext(Yard())

    def trace(self, *arguments):
        return self.enterContext(
            contextlib.closing(Tracer(self.yard, *arguments)))

    def await_talk(self, tracer, said):
        wait_until(lambda: said in tracer.talk(), 10, lambda: tracer.text)
        return tracer.talk()

    def test_the_dialogue_is_shown_in_its_order(self):
        tracer = self.trace("--site", "mx.plain.test")
        sent = self.yard.submit("you@plain.test", body=SECRET)
        self.yard.outcome(sent, "delivered")
        talk = self.await_talk(tracer, "> QUIT")
        order = [talk.index(line) for line in talk if line.startswith((
            "- connecting", "- connected", "> EHLO", "> MAIL FROM:<app@acme",
            "> RCPT TO:<you@plain.test>", "> DATA", "< 354", "> ...",
            "> QUIT"))]
        self.assertEqual(len(order), 9, talk)
        self.assertEqual(order, sorted(order))
        count = next(line for line in talk if line.startswith("> ..."))
        self.assertRegex(count, r"> \.\.\. \d+ bytes")
        self.assertNotIn(SECRET, tracer.text)
        worker, _, source, host, _, _, _, _ = tracer.lines()[0]
        self.assertIn(worker, ("worker-1", "worker-2"))
        self.assertEqual((source, host), ("n1", "mx.plain.test"))
        times = [int(line[5]) for line in tracer.lines()]
        self.assertEqual(times, sorted(times))

    def test_what_tls_carries_is_shown_too(self):
        tracer = self.trace("--domain", "bigmail.test")
        sent = self.yard.submit("you@bigmail.test", body=SECRET)
        self.yard.outcome(sent, "delivered")
        talk = self.await_talk(tracer, "> QUIT")
        self.assertIn("> STARTTLS", talk)
        self.assertIn("- encrypted by TLSv1.3", talk)
        self.assertIn("> RCPT TO:<you@bigmail.test>",
                      [line[:28] for line in talk])
        self.assertNotIn(SECRET, tracer.text)

    def test_only_what_matches_is_shown(self):
        other = self.trace("--domain", "old.test")
        nobody = self.trace("--worker", "worker-9", "--site", "mx.plain.test")
        tracer = self.trace("--domain", "plain.test")
        for to in ("one@plain.test", "one@bigmail.test"):
            self.yard.outcome(self.yard.submit(to), "delivered")
        self.await_talk(tracer, "> QUIT")
        self.assertEqual({line[3] for line in tracer.lines()},
                         {"mx.plain.test"})
        self.assertEqual(other.lines(), [])
        self.assertEqual(nobody.lines(), [])

    def test_one_message_of_many_is_followed(self):
        with self.yard.client() as client:
            first = client.send("held@slow.test", "app@acme.test")
            tracer = self.trace("--id", first.id)
            client.send("other@slow.test", "app@acme.test")
        self.yard.outcome(first, "delivered", seconds=40)
        talk = tracer.talk()
        wait_until(lambda: "> DATA" in tracer.talk(), 5, lambda: tracer.text)
        self.assertNotIn("other@slow.test", tracer.text)
        self.assertTrue(any("held@slow.test" in line for line in tracer.talk()),
                        talk)

    def test_too_many_lines_are_left_out_and_counted(self):
        tracer = self.trace("--domain", "plain.test")
        with self.yard.client() as client:
            for number in range(20):
                many = [f"p{number}-{n}@plain.test" for n in range(90)]
                sent = client.send(many, "app@acme.test")
                self.assertEqual(sent.code, 250)
        self.yard.outcome(sent, "delivered", many[-1], seconds=30)
        wait_until(lambda: "lines left out)" in tracer.text, 10,
                   lambda: tracer.text[-2000:])

    def test_it_ends_when_its_time_is_over_or_its_reader_leaves(self):
        tracer = self.trace("--worker", "worker-1", "--for", "1s")
        self.assertEqual(tracer.process.wait(10), 0)
        self.assertIn("event=trace_begun", self.yard.log)
        ended = self.yard.log.count("event=trace_ended")
        wait_until(lambda: self.yard.log.count("event=trace_ended") > ended,
                   20, lambda: self.yard.log)

    def test_what_cannot_be_traced_is_told(self):
        for arguments in ([], ["--site"], ["--domain", "a.test", "b"],
                          ["--site", "x", "--for", "soon"]):
            answer = self.yard.command("trace", *arguments)
            self.assertEqual(answer.returncode, USAGE, answer)
        for arguments in (["--site", "a b"], ["--id", "no-id"]):
            answer = self.yard.command("trace", *arguments)
            self.assertEqual(answer.returncode, 65, answer)
            self.assertIn("no criteria", answer.stderr)


if __name__ == "__main__":
    unittest.main()
