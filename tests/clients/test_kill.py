"""kill -9 under load: every acknowledged record is back at its offset, byte for byte, and the broker is back in a second.

usage: test_kill.py [KILLS]        how often, for each flush policy and number of reactors (5; in full 50)"""
import random, sys, threading, time

from harness import Broker, check
from wire import Connection

SECONDS_TO_START = 1.0
PARTITIONS = 4


class Producer(threading.Thread):
    """Writes to one partition until the broker dies; remembers what was acknowledged."""

    def __init__(self, port, partition, number, acknowledged, lock):
        super().__init__(daemon=True)
        self.port, self.partition, self.number = port, partition, number
        self.acknowledged, self.lock, self.count, self.problem = acknowledged, lock, 0, None

    def run(self):
        chance = random.Random(self.number)
        try:
            wire = Connection(self.port)
            while True:
                values = [b"%d-%d-" % (self.number, self.count + i) + chance.randbytes(chance.choice((5, 100, 900)))
                          for i in range(chance.randint(1, 8))]
                error, base = wire.produce("load", self.partition, values, acks=chance.choice((1, -1)))
                if error != 0:
                    self.problem = f"error {error}"
                    return
                self.count += len(values)
                with self.lock:
                    for i, value in enumerate(values):
                        self.acknowledged[self.partition][base + i] = value
        except (ConnectionError, OSError):
            pass


def verify(broker, acknowledged):
    wire = Connection(broker.port)
    for partition, want in enumerate(acknowledged):
        have = dict(wire.read_all("load", partition))
        for offset, value in want.items():
            check(have.get(offset) == value,
                  f"partition {partition} offset {offset}: acknowledged, now {'other' if offset in have else 'no'} bytes")
        offsets = sorted(have)
        check(offsets == list(range(len(offsets))), f"partition {partition}: offsets have gaps")


def rounds(kills, flush, reactors):
    chance = random.Random(kills * reactors)
    starts, records = [], 0
    # Segments are small, so that kills meet rolls, too.
    with Broker("broker.log_segment_bytes=200000", reactors=reactors) as broker:
        check(Connection(broker.port).create("load", PARTITIONS, {"flush": flush}) == 0, "create")
        acknowledged, lock = [{} for _ in range(PARTITIONS)], threading.Lock()
        for kill in range(kills):
            producers = [Producer(broker.port, i % PARTITIONS, kill * 100 + i, acknowledged, lock) for i in range(8)]
            for producer in producers:
                producer.start()
            time.sleep(chance.uniform(0.05, 0.6))
            broker.kill()
            for producer in producers:
                producer.join(30)
                check(producer.problem is None, f"a produce was refused: {producer.problem}")
            broker.start()
            starts.append(broker.started_in)
            records = sum(map(len, acknowledged))
            if kill % 5 == 4 or kill == kills - 1:
                verify(broker, acknowledged)
        broker.stop()
        broker.start()
        verify(broker, acknowledged)
        broker.stop()
    check(records > 0, "nothing was acknowledged")
    check(max(starts) < SECONDS_TO_START, f"a start took {max(starts):.2f} s")
    return f"{kills} kills, {records} records acknowledged and all there; slowest start {max(starts) * 1000:.0f} ms"


def main():
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    failed = False
    for flush in ("none", "ack"):
        for reactors in (1, 4):
            try:
                print(f"passed flush={flush} reactors={reactors}: {rounds(kills, flush, reactors)}", flush=True)
            except AssertionError as error:
                failed = True
                print(f"FAILED flush={flush} reactors={reactors}: {error}", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
