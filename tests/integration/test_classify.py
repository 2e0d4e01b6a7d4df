"""`sendyard classify`: judging files, making models, correcting them."""

import json
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from support.places import ROOT, program
from yard import Yard, run

OK, USAGE, DATA, NOINPUT, CONFIG = 0, 64, 65, 66, 78
CORPUS = ROOT / "tests/classifier/corpus/make.py"
KINDS = ("transactional", "bulk", "personal", "system")
RESET = ("From: Acme <security@acme.test>\r\nTo: Anna Berg <anna@b.test>\r\n"
         "Subject: Reset your password\r\nDate: Mon, 2 Mar 2026 10:00:00 +0000"
         "\r\n\r\nHi Anna,\r\n\r\nyou asked to reset your password. Your code "
         "is 481516; it expires in 10 minutes.\r\nIf you did not ask for this, "
         "ignore this message.\r\n")
SALE = ("From: Acme <news@acme.test>\r\nTo: anna@b.test\r\n"
        "Subject: Last chance: 50% off everything\r\n"
        "List-Unsubscribe: <https://acme.test/out>\r\n\r\nOur biggest sale of "
        "the year ends tonight. Save 50% on all shoes, shirts and coats, with "
        "free shipping. Shop now: https://acme.test/sale?utm_source=mail\r\n"
        "Unsubscribe: https://acme.test/out\r\n")


class Files(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="classify-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.corpus = cls.folder / "corpus"
        subprocess.run([sys.executable, CORPUS, cls.corpus, "--instances", "1"],
                       check=True, stdout=subprocess.DEVNULL)
        cls.mail = cls.folder / "mail"
        cls.mail.mkdir()
        (cls.mail / "reset.eml").write_text(RESET, newline="")
        (cls.mail / "sale.eml").write_text(SALE, newline="")

    def classify(self, *arguments, code=OK, text=None):
        answer = run("sendyard", "classify", *arguments, text=text)
        self.assertEqual(answer.returncode, code, answer)
        return answer.stdout

    def lines(self, *arguments, **options):
        text = self.classify("--json", *arguments, **options)
        return [json.loads(line) for line in text.splitlines()]

    def test_each_file_gets_one_object(self):
        sale, reset = sorted(self.lines(self.mail), key=lambda v: v["stream"])
        self.assertTrue(reset["file"].endswith("reset.eml"))
        self.assertEqual((sale["class"], sale["protected"]), ("bulk", False))
        self.assertEqual(reset["class"], "transactional")
        for verdict in (sale, reset):
            self.assertEqual(set(verdict["probabilities"]), set(KINDS))
            self.assertAlmostEqual(sum(verdict["probabilities"].values()), 1, 2)
            self.assertGreater(verdict["us"], 0)
            self.assertTrue(any(reason["weight"] for reason
                                in verdict["reasons"]))
            for reason in verdict["reasons"]:
                self.assertIn("code", reason)
                self.assertEqual("toward" in reason, reason["weight"] != 0)

    def test_text_names_words_and_model(self):
        text = self.classify(self.mail / "sale.eml")
        for word in ("stream bulk", "undeclared", "trust verify", "p(bulk)",
                     "model ", "list-unsubscribe"):
            self.assertIn(word, text)
        self.assertNotIn('word ""', text)

    def test_a_declaration_is_a_prior(self):
        reset = self.mail / "reset.eml"
        (plain,) = self.lines(reset)
        (declared,) = self.lines("--declared", "transactional", reset)
        self.assertEqual(declared["declared"], "transactional")
        (prior,) = [reason for reason in declared["reasons"]
                    if reason["code"] == "declared"]
        self.assertEqual((prior["toward"], prior["weight"]),
                         ("transactional", 0.75))
        self.assertNotIn("declared", [reason["code"]
                                      for reason in plain["reasons"]])
        self.assertGreaterEqual(declared["probabilities"]["transactional"],
                                plain["probabilities"]["transactional"])
        (lower,) = self.lines("--declared", "bulk", reset)
        self.assertEqual((lower["stream"], lower["protected"]), ("bulk", False))

    def test_mailboxes_and_lines_hold_many(self):
        box = self.folder / "box"
        box.write_text("From a@b Mon Mar  2 10:00:00 2026\n" + RESET
                       + "\nFrom a@b Mon Mar  2 10:00:00 2026\n" + SALE,
                       newline="")
        self.assertEqual([v["class"] for v in self.lines(box)],
                         ["transactional", "bulk"])
        lines = "\n".join(json.dumps(line) for line in (
            {"message": RESET}, {"file": str(self.mail / "sale.eml"),
                                 "rcpt": "anna@b.test"}))
        self.assertEqual([v["class"] for v in self.lines("-", text=lines)],
                         ["transactional", "bulk"])

    def test_a_pipe_of_another_user_is_read(self):
        # An MTA makes the pipe as one user and runs the program as another.
        answer = subprocess.run([program("sendyard"), "classify", "--json", "-"],
                                input=RESET, text=True, capture_output=True,
                                user="nobody", check=False)
        self.assertEqual((answer.returncode, answer.stderr), (OK, ""))

    def test_what_cannot_be_read_is_said(self):
        self.classify(self.folder / "nothing.eml", code=NOINPUT)
        some = self.lines(self.folder / "nothing.eml", "--",
                          self.mail / "sale.eml", code=NOINPUT)
        self.assertEqual([v["class"] for v in some], ["bulk"])
        self.classify(code=USAGE)
        self.classify("--nonsense", self.mail, code=USAGE)
        broken = self.folder / "broken.syc"
        broken.write_bytes(b"SYC1 nonsense")
        self.classify("--model", broken, self.mail, code=DATA)

    def train(self, name, *arguments, code=OK):
        path = self.folder / name
        text = self.classify("train", "--out", path, "--date", "2026-03-02",
                             *arguments, code=code)
        return path, text

    def score(self, model):
        text = self.classify("eval", "--json", "--model", model, self.corpus)
        return {result["headers"]: result
                for result in json.loads(text)["results"]}

    def test_the_model_that_ships_knows_senders_that_it_has_not_seen(self):
        unseen = self.folder / "unseen"
        subprocess.run([sys.executable, CORPUS, unseen, "--unseen"],
                       check=True, capture_output=True)
        text = self.classify("eval", "--json", unseen)
        for result in json.loads(text)["results"]:
            self.assertGreater(result["macro_f1"], 0.94, result)
            self.assertLess(result["bulk_protected"], 0.03, result)
            self.assertLess(result["transactional_kept_out"], 0.13, result)

    def test_models_are_made_measured_and_compared(self):
        model, text = self.train("own.syc", f"corpus={self.corpus}")
        for word in ("held out", "mixed", "stripped", "adversarial"):
            self.assertIn(word, text)
        again, _ = self.train("again.syc", f"corpus={self.corpus}")
        self.assertEqual(model.read_bytes(), again.read_bytes())
        scores = self.score(model)
        self.assertEqual(set(scores), {"mixed", "stripped", "adversarial"})
        for result in scores.values():
            self.assertGreater(result["macro_f1"], 0.95)
            self.assertLess(result["bulk_protected"], 0.02)
        (verdict, *_) = self.lines("--model", model, self.mail)
        self.assertTrue(verdict["model"].startswith("2026-03-02 #"))
        self.assertIn("0 of ", self.classify("diff", model, again,
                                             self.corpus))

    def keep(self, folder, kind, sender, text):
        path = folder / kind / f"{sender}.eml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("acme", sender), newline="")

    def test_a_base_is_moved_by_samples(self):
        base, _ = self.train("base.syc", f"corpus={self.corpus}")
        mine = self.folder / "mine"
        for i in range(8):
            self.keep(mine, "bulk", f"one{i}", RESET)
            self.keep(mine, "transactional", f"two{i}", SALE)
        moved, text = self.train("moved.syc", "--base", base, f"samples={mine}")
        self.assertIn("mixed, base", text)
        reset, _ = self.lines("--model", moved, self.mail)
        before, _ = self.lines("--model", base, self.mail)
        self.assertGreater(reset["probabilities"]["bulk"],
                           before["probabilities"]["bulk"])

    def test_a_model_that_leaks_more_is_not_written(self):
        base, _ = self.train("base.syc", f"corpus={self.corpus}")
        mine = self.folder / "leaky"
        for i in range(8):
            self.keep(mine, "transactional", f"one{i}", SALE)
        self.keep(mine, "bulk", "other", SALE)
        wanted = ("--base", base, f"samples={mine}")
        self.train("leaky.syc", *wanted, code=DATA)
        self.assertFalse((self.folder / "leaky.syc").exists())
        self.train("leaky.syc", "--force", *wanted)
        self.assertTrue((self.folder / "leaky.syc").exists())


class Live(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.samples = Path(tempfile.mkdtemp(prefix="samples-"))
        cls.addClassCleanup(shutil.rmtree, cls.samples)
        cls.yard = cls.enterClassContext(Yard([(
            "streams = (",
            f'classifier = {{ samples = "{cls.samples}"; }};\n\nstreams = (')]))

    def test_a_file_is_kept_once_under_its_last_name(self):
        path = self.yard.folder / "sale.eml"
        path.write_text(SALE, newline="")
        for kind in ("transactional", "transactional", "bulk"):
            answer = self.yard.command("classify", "--teach", kind, path)
            self.assertEqual(answer.returncode, OK, answer)
        kept = [p for p in self.samples.rglob("*")
                if p.is_file() and p.read_bytes() == SALE.encode()]
        self.assertEqual([p.parent.name for p in kept], ["bulk"])
        self.assertEqual(kept[0].stat().st_mode & 0o077, 0)

    def test_the_report_tells_what_was_declared_and_found(self):
        with self.yard.client() as client:
            sent = client.send("you@bigmail.test", "app@acme.test", headers={
                "X-Sendyard-Stream": "transactional",
                "List-Unsubscribe": "<https://acme.test/out>",
                "Precedence": "bulk", "Subject": "Last chance: 50% off"})
        self.yard.outcome(sent, "delivered")
        answer = self.yard.command("classify", "report", "--since", "1h",
                                   "--json")
        self.assertEqual(answer.returncode, OK, answer)
        (account,) = [json.loads(line) for line in answer.stdout.splitlines()]
        self.assertEqual(account["account"], "acme-app")
        row = account["rows"][0]
        self.assertEqual(row["declared"], "transactional")
        self.assertEqual(row["moved"], 1)
        self.assertIn(sent.id, row["examples"])

    def test_a_message_is_taught_by_its_id(self):
        with self.yard.client() as client:
            sent = client.send("full@outpost.test", "app@acme.test",
                               headers={"Subject": "Your monthly statement"})
        self.yard.outcome(sent, "deferred")
        answer = self.yard.command("classify", "--teach", "personal", sent.id)
        self.assertEqual(answer.returncode, OK, answer)
        (event,) = self.yard.events("accepted", id=sent.id)
        told = self.yard.command("template", "show", "--json",
                                 event["template"])
        self.assertEqual(json.loads(told.stdout)["taught"], "personal")
        self.assertEqual(len(list(self.samples.glob("personal/*.eml"))), 1)
        # The same text again is what he said, whatever the model thinks.
        with self.yard.client() as client:
            again = client.send("full@outpost.test", "app@acme.test",
                                headers={"Subject": "Your monthly statement"})
        self.yard.outcome(again, "deferred")
        (event,) = self.yard.events("accepted", id=again.id)
        self.assertIn("taught=personal", event["reasons"])

    def test_what_is_neither_file_nor_id_is_refused(self):
        answer = self.yard.command("classify", "--teach", "bulk", "nothing")
        self.assertEqual(answer.returncode, NOINPUT, answer)


if __name__ == "__main__":
    unittest.main()
