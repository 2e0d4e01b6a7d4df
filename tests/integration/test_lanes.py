"""Bulk mail in thousands, and password resets that do not wait behind it."""

import sys
import unittest

from support.places import BUILD, ROOT

sys.path.insert(0, str(ROOT / "tests" / "bench"))
from bench import Platform, wait_until  # noqa: E402

BULK = 1000
SLOTS = 8
SERVICE_MS = 50
# More than half of what the connections can carry: a fair part is too little.
TXN_PER_S = 120
TXN = 3 * TXN_PER_S
# Bulk messages that arrive between a 250 and the arrival of its message: those
# under way and those that end while it is taken, two for each connection; the
# rest is for a machine that stands still for some tenths of a second.
OTHERS_MAX = 2 * SLOTS + 32


def streams(bulk_pool):
    return {
        "txn": {"pool": "all", "config": 'class = "transactional"; '
                'priority = "urgent"; latency = "1s";'},
        "bulk": {"pool": bulk_pool,
                 "config": 'class = "bulk"; weight = 1000;'}}


class Lanes(unittest.TestCase):
    """One source, one site, SLOTS connections, SERVICE_MS a message."""

    def overtakes(self, bulk_pool):
        with Platform(BUILD, streams(bulk_pool), slots=SLOTS) as yard:
            yard.start_router()
            _, bulk = yard.load("bulk", BULK, 20, rcpt="b%d@[127.0.0.1]")
            sink = yard.start_sink("--delay-ms", SERVICE_MS)
            yard.start_workers()
            wait_until(lambda: yard.queued() < BULK - SLOTS, 20,
                       "nothing is delivered")
            _, txn = yard.load("txn", TXN, 4, rate=TXN_PER_S)
            left = yard.queued()
            wait_until(lambda: yard.queued() == 0, 60, "mail is left")
            waits = yard.ask("status")["dispatch"]["streams"]
            arrived = yard.end_sink(sink)
        self.assertGreater(left, BULK / 4, "the queue ended too soon")
        self.assertEqual(arrived.keys(), bulk.keys() | txn.keys())
        others = sorted(at for one, at in arrived.items() if one in bulk)
        for one, accepted in txn.items():
            between = sum(accepted < at < arrived[one] for at in others)
            self.assertLessEqual(between, OTHERS_MAX, one)
        by_name = {one["name"]: one for one in waits}
        self.assertEqual(
            by_name["txn"]["delivered"]["since_start"]["count"], TXN)
        self.assertEqual(
            by_name["bulk"]["first_attempt"]["since_start"]["count"], BULK)

    def test_in_one_lane(self):
        self.overtakes("all")

    def test_in_two_lanes_of_one_source(self):
        self.overtakes("other")


if __name__ == "__main__":
    unittest.main()
