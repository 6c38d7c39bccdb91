"""Unmodified clients go round: kcat and the Java console tools create a topic, produce, fetch; what they wrote is there
after an orderly end and after kill -9."""
from harness import Broker, check, kafka_tool, main, need, run
from wire import Connection

REACTORS = (1, 4)
LINES = [f"line {i}" for i in range(1000)]
TEXT = ("\n".join(LINES) + "\n").encode()


def kcat_goes_round():
    kcat = need("kcat")
    for reactors in REACTORS:
        with Broker(reactors=reactors) as broker:
            run(kcat, "-b", broker.address, "-t", "orders", "-P", input=TEXT)
            out = run(kcat, "-b", broker.address, "-t", "orders", "-C", "-o", "beginning", "-e", "-q")
            check(out.splitlines() == LINES, "kcat read something else than it wrote")
            listing = run(kcat, "-b", broker.address, "-L")
            check('topic "orders" with 1 partitions' in listing, listing)
            broker.kill()
            broker.start()
            out = run(kcat, "-b", broker.address, "-t", "orders", "-C", "-o", "beginning", "-e", "-q")
            check(out.splitlines() == LINES, "after kill -9 kcat read something else")
            broker.stop()
            broker.start()
            out = run(kcat, "-b", broker.address, "-t", "orders", "-C", "-o", "-10", "-e", "-q")
            check(out.splitlines() == LINES[-10:], "after a restart kcat read something else")
            broker.stop()


def kcat_compresses_in_what_we_have():
    kcat = need("kcat")
    with Broker() as broker:
        for codec in ("gzip", "snappy", "lz4", "zstd"):
            run(kcat, "-b", broker.address, "-t", codec, "-P", "-z", codec, input=TEXT)
            out = run(kcat, "-b", broker.address, "-t", codec, "-C", "-o", "beginning", "-e", "-q")
            check(out.splitlines() == LINES, f"{codec}: read something else than was written")
        broker.stop()


def java_console_tools_go_round():
    with Broker() as broker:
        server = ("--bootstrap-server", broker.address)
        kafka_tool("topics", *server, "--create", "--topic", "orders", "--partitions", "3")
        kafka_tool("console-producer", *server, "--topic", "orders", input=TEXT)
        got = []
        for partition in range(3):
            out = kafka_tool("console-consumer", *server, "--topic", "orders", "--partition", str(partition),
                             "--offset", "earliest", "--timeout-ms", "4000", ok=(0, 1))
            got += out.splitlines()
        check(sorted(got) == sorted(LINES), f"read {len(got)} of {len(LINES)} lines")
        described = kafka_tool("topics", *server, "--describe", "--topic", "orders")
        check("PartitionCount: 3" in described, described)
        kafka_tool("topics", *server, "--delete", "--topic", "orders")
        listed = kafka_tool("topics", *server, "--list")
        check("orders" not in listed.split(), f"still listed: {listed}")
        broker.stop()


def an_idempotent_producer_is_stored_once():
    with Broker() as broker:
        wire = Connection(broker.port)
        check(wire.create("once") == 0, "create")
        error, producer, epoch = wire.producer_id()
        check(error == 0 and producer >= 0 and epoch == 0, f"producer id: {error} {producer} {epoch}")
        first = [wire.produce("once", 0, [b"a", b"b"], producer=(producer, 0, i * 2)) for i in range(7)]
        check(first == [(0, i * 2) for i in range(7)], f"{first}")
        for i in (2, 6):
            again = wire.produce("once", 0, [b"a", b"b"], producer=(producer, 0, i * 2))
            check(again == (0, i * 2), f"a repetition of batch {i} was answered {again}")
        check(wire.produce("once", 0, [b"x"], producer=(producer, 0, 99))[0] == 45, "a gap in the sequence was taken")
        broker.kill()
        broker.start()
        wire = Connection(broker.port)
        again = wire.produce("once", 0, [b"a", b"b"], producer=(producer, 0, 12))
        check(again == (0, 12), f"after kill -9 the last batch, repeated, was answered {again}")
        check(wire.produce("once", 0, [b"c"], producer=(producer, 0, 14)) == (0, 14), "it does not go on")
        broker.stop()


if __name__ == "__main__":
    main(kcat_goes_round, kcat_compresses_in_what_we_have, java_console_tools_go_round,
         an_idempotent_producer_is_stored_once)
