"""The broker under everything at once: ended in the middle of it, with topics that come and go, with
partitions in several directories, with answers of many parts, with clients that ask and do not read.

usage: test_end.py [--ends N] [TEST...]       how often it is ended, for each number of reactors (3; in full 20)"""
import pathlib, random, socket, struct, sys, threading, time

from harness import Broker, check, main
from wire import Connection, batch_values, record_batch, text

ENDS = 3
if "--ends" in sys.argv:
    at = sys.argv.index("--ends")
    ENDS = int(sys.argv[at + 1])
    del sys.argv[at:at + 2]


class Worker(threading.Thread):
    """Does its work again and again until the broker is gone."""

    def __init__(self, port, work):
        super().__init__(daemon=True)
        self.port, self.work, self.rounds, self.problem = port, work, 0, None

    def run(self):
        try:
            wire = Connection(self.port)
            while True:
                self.work(wire, self.rounds)
                self.rounds += 1
        except (ConnectionError, OSError):
            pass
        except AssertionError as error:
            self.problem = error


# What a topic or broker on its way out may be answered with: not the leader, unknown, storage, no such id.
GOING = (0, 1, 3, 5, 6, 7, 9, 41, 56, 100)


def write(topic, number, acknowledged, lock):
    chance = random.Random(number)

    def work(wire, count):
        values = [b"%d-%d-" % (number, count * 8 + i) + chance.randbytes(chance.choice((5, 900))) for i in range(8)]
        partition = number % 4
        error, base = wire.produce(topic, partition, values, acks=chance.choice((1, -1)))
        check(error in GOING, f"produce: error {error}")
        if error == 0 and acknowledged is not None:
            with lock:
                for i, value in enumerate(values):
                    acknowledged[partition][base + i] = value
    return work


def read(topic, partition):
    where = [0]

    def work(wire, _):
        error, high, data = wire.fetch(topic, partition, where[0], wait=30000)
        check(error in GOING, f"fetch: error {error}")
        got = list(batch_values(data))
        where[0] = got[-1][0] + 1 if got else 0 if error == 1 else where[0]
    return work


def come_and_go(wire, count):
    error = wire.create("churn", 2, {"flush": "none"})
    check(error in (0, 36) + GOING, f"create: error {error}")
    if error == 0:
        error, _ = wire.produce("churn", 0, [b"x"])
        check(error in GOING, f"produce to a new topic: error {error}")
    error = wire.delete("churn")
    check(error in GOING, f"delete: error {error}")


def pipeline(wire, count):
    """A hundred requests before the first answer is read."""
    batch = record_batch([b"p" * 50])
    sent = [wire.send("produce", wire.produce_body("load", i % 4, batch, acks=1)) for i in range(100)]
    for number in sent:
        got, _ = wire.receive()
        check(got == number, f"answer {got} to request {number}")


def verify(port, acknowledged):
    wire = Connection(port)
    for partition, want in enumerate(acknowledged):
        have = dict(wire.read_all("load", partition))
        for offset, value in want.items():
            check(have.get(offset) == value, f"partition {partition} offset {offset}: acknowledged, now not there")


def ended_under_load(reactors):
    chance, slowest = random.Random(reactors), 0
    acknowledged, lock = [{} for _ in range(4)], threading.Lock()
    with Broker("broker.log_segment_bytes=200000", reactors=reactors) as broker:
        check(Connection(broker.port).create("load", 4) == 0, "create")
        for end in range(ENDS):
            works = [write("load", end * 100 + i, acknowledged, lock) for i in range(6)]
            works += [read("load", i % 4) for i in range(4)] + [read("churn", 0), read("churn", 1)]
            works += [write("churn", 4 * i, None, lock) for i in range(2)] + [come_and_go, come_and_go, pipeline]
            workers = [Worker(broker.port, work) for work in works]
            for worker in workers:
                worker.start()
            time.sleep(chance.uniform(0.1, 0.8))
            began = time.monotonic()
            broker.stop()
            slowest = max(slowest, time.monotonic() - began)
            for worker in workers:
                worker.join(30)
                check(worker.problem is None, f"{worker.problem}")
            broker.start()
        verify(broker.port, acknowledged)
        broker.stop()
    check(slowest < 5, f"an end took {slowest:.1f} s")
    return f"{ENDS} ends, {sum(map(len, acknowledged))} records acknowledged and all there; slowest end {slowest * 1000:.0f} ms"


def an_end_under_load_is_in_order_and_loses_nothing_with_one_reactor():
    return ended_under_load(1)


def an_end_under_load_is_in_order_and_loses_nothing_with_four():
    return ended_under_load(4)


def an_answer_of_many_parts_arrives():
    """Each partition's records are a part of their own, more than one send takes."""
    n = 400
    with Broker() as broker:
        wire = Connection(broker.port)
        check(wire.create("wide", n, {"flush": "none"}) == 0, "create")
        for partition in range(n):
            check(wire.produce("wide", partition, [b"%d" % partition])[0] == 0, "produce")
        body = struct.pack(">iiiibiii", -1, 100, 1, 50 << 20, 0, 0, -1, 1) + text("wide") + struct.pack(">i", n)
        for partition in range(n):
            body += struct.pack(">iiqqi", partition, -1, 0, -1, 1 << 20)
        answer = wire.ask("fetch", body + struct.pack(">i", 0) + text(""))
        answer.take("ihi"), answer.take("i"), answer.string()
        check(answer.take("i") == n, "not all partitions are answered")
        for _ in range(n):
            partition, error, high, _, _ = answer.take("ihqqq")
            for _ in range(max(answer.take("i"), 0)):
                answer.take("qq")
            answer.take("i")
            got = [value for _, value in batch_values(answer.bytes())]
            check((error, high, got) == (0, 1, [b"%d" % partition]), f"partition {partition}: {error} {high} {got}")
        broker.stop()


def partitions_stay_in_their_directories():
    names = ["zz", "b", "m", "aa", "k"]
    with Broker() as broker:
        broker.options.append(f'broker.log_dirs={broker.home}/one,{broker.home}/two')
        broker.process.terminate(), broker.process.wait(20)
        broker.start()
        wire = Connection(broker.port)
        for round in range(3):
            for name in names:
                if round == 0:
                    check(wire.create(name, 3) == 0, "create")
                for partition in range(3):
                    error, base = wire.produce(name, partition, [name.encode()])
                    check((error, base) == (0, round), f"{name}-{partition}: error {error}, offset {base} in round {round}")
            if round == 1:
                check(wire.delete(names[0]) == 0, "delete")
                names = names[1:]
            broker.stop()
            broker.start()
            wire = Connection(broker.port)
        for folder in ("one", "two"):
            check(len(list((broker.home / folder).glob("*-?"))) > 3, f"{folder} has no share of the partitions")
        broker.stop()


def who_asks_and_does_not_read_holds_little_memory():
    with Broker("broker.memory_max=256MiB") as broker:
        wire = Connection(broker.port)
        check(wire.create("big", 1, {"flush": "none"}) == 0, "create")
        for _ in range(40):
            check(wire.produce("big", 0, [b"x" * 900000])[0] == 0, "produce")
        def resident():
            return int(pathlib.Path(f"/proc/{broker.process.pid}/statm").read_text().split()[1]) * 4096
        before, silent = resident(), []
        for _ in range(10):
            other = Connection(broker.port)
            for _ in range(60):
                other.send("fetch", struct.pack(">iiiibiii", -1, 100, 1, 50 << 20, 0, 0, -1, 1) + text("big")
                           + struct.pack(">iiiqqi", 1, 0, -1, 0, -1, 50 << 20) + struct.pack(">i", 0) + text(""))
            silent.append(other)
        time.sleep(2)
        grown = resident() - before
        check(grown < 200 << 20, f"{grown >> 20} MiB for answers that nobody reads")
        check(Connection(broker.port).produce("big", 0, [b"still alive"])[0] == 0, "produce")
        broker.stop()
    return f"{grown >> 20} MiB"


def idle_connections_cost_little_and_end_with_the_broker():
    n = 900
    with Broker(reactors=4) as broker:
        def resident():
            return int(pathlib.Path(f"/proc/{broker.process.pid}/statm").read_text().split()[1]) * 4096
        first = Connection(broker.port)
        check(first.create("t") == 0, "create")
        before = resident()
        many = [Connection(broker.port) for _ in range(n)]
        for one in many:
            one.ask("api_versions", b"")
        each = (resident() - before) // n
        broker.stop()
        for one in many:
            check(one.socket.recv(1) == b"", "not closed")
    check(each < 8192, f"{each} bytes for a connection that is idle")
    return f"{each} bytes each"


if __name__ == "__main__":
    main(an_end_under_load_is_in_order_and_loses_nothing_with_one_reactor,
         an_end_under_load_is_in_order_and_loses_nothing_with_four,
         an_answer_of_many_parts_arrives,
         partitions_stay_in_their_directories,
         who_asks_and_does_not_read_holds_little_memory,
         idle_connections_cost_little_and_end_with_the_broker)
