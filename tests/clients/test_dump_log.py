"""Kafka's own dump-log finds nothing to say about any file we write, whichever codec a Java producer used."""
import struct

from harness import Broker, check, kafka_tool, main
from wire import Connection

CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
TEXT = "".join(f"{i} the quick brown fox jumps over the lazy dog\n" for i in range(4000)).encode()
COMPLAINTS = ("Mismatches", "mismatch", "Found timestamp", "Index offset", "out of order", "Exception", "Error",
              "not valid", "invalid", "corrupt", "Non-consecutive", "non-consecutive")


def codec_bits(path):
    """The codecs of the batches in a .log file."""
    data, at, found = path.read_bytes(), 0, set()
    while at + 61 <= len(data):
        length, = struct.unpack_from(">i", data, at + 8)
        attributes, = struct.unpack_from(">h", data, at + 21)
        found.add(attributes & 7)
        at += 12 + length
    check(at == len(data), f"{path}: {len(data) - at} bytes behind the last batch")
    return found


def dump(data):
    files = sorted(path for path in data.rglob("*")
                   if path.suffix in (".log", ".index", ".timeindex", ".snapshot", ".txnindex")
                   and "metadata" not in path.parent.name)
    check(files, f"no files below {data}")
    for suffix in (".log", ".index", ".timeindex", ".snapshot"):
        some = [str(path) for path in files if path.suffix == suffix]
        arguments = ["--deep-iteration"] if suffix in (".log", ".index", ".timeindex") else []
        for options in ([], ["--index-sanity-check"]) if suffix in (".index", ".timeindex") else ([],):
            for at in range(0, len(some), 50):
                out = kafka_tool("dump-log", *arguments, *options, "--files", ",".join(some[at:at + 50]),
                                 everything=True)
                for line in out.splitlines():
                    check(not any(word in line for word in COMPLAINTS), f"dump-log {suffix} {options}: {line}")
    return files


def every_codec_of_java_is_stored_as_it_came():
    with Broker("broker.log_segment_bytes=60000") as broker:
        for codec in CODECS:
            kafka_tool("console-producer", "--bootstrap-server", broker.address, "--topic", f"codec-{codec}",
                       "--compression-codec", codec, "--batch-size", "4000", input=TEXT)
        broker.stop()
        data = broker.home / "data"
        for codec, number in CODECS.items():
            bits = set().union(*(codec_bits(path) for path in data.glob(f"codec-{codec}-0/*.log")))
            check(bits == {number}, f"{codec}: batches are stored with codecs {bits}")
        files = dump(data)
    return f"{len(files)} files"


def after_kills_and_rolls_too():
    with Broker("broker.log_segment_bytes=30000") as broker:
        wire = Connection(broker.port)
        check(wire.create("t", 2) == 0, "create")
        _, producer, _ = wire.producer_id()
        sequence = 0
        for kill in range(3):
            for i in range(200):
                wire.produce("t", 0, [b"x" * 300] * 3, producer=(producer, 0, sequence))
                wire.produce("t", 1, [b"y" * (i + 1)])
                sequence += 3
            broker.kill()
            broker.start()
            wire = Connection(broker.port)
        broker.stop()
        files = dump(broker.home / "data")
        check(sum(path.suffix == ".log" for path in files) > 10, "there were no rolls")
        check(any(path.suffix == ".snapshot" for path in files), "there is no producer snapshot")
    return f"{len(files)} files"


def a_damaged_index_is_noticed():
    """The check itself can fail: an entry that points one byte off is complained about."""
    with Broker("broker.log_segment_bytes=60000") as broker:
        wire = Connection(broker.port)
        check(wire.create("t") == 0, "create")
        for _ in range(100):
            wire.produce("t", 0, [b"x" * 300])
        broker.stop()
        index = max((broker.home / "data/t-0").glob("*.index"), key=lambda path: path.stat().st_size)
        data = bytearray(index.read_bytes())
        check(len(data) >= 16, "the index has no second entry")
        data[11] ^= 1
        index.write_bytes(data)
        try:
            dump(broker.home / "data")
        except AssertionError as error:
            return str(error).splitlines()[0][:90]
    raise AssertionError("dump-log says nothing about a damaged index")


def an_index_whose_log_is_gone_goes_too():
    """What kill -9 leaves of a removal: the log is away, its indexes are not yet."""
    with Broker("broker.log_segment_bytes=60000") as broker:
        wire = Connection(broker.port)
        check(wire.create("t") == 0, "create")
        wire.produce("t", 0, [b"x"])
        broker.kill()
        folder = broker.home / "data/t-0"
        widows = [folder / f"{7:020}.index", folder / f"{7:020}.timeindex"]
        for path in widows:
            path.touch()
        broker.start()
        check(not any(path.exists() for path in widows), "they are still there")
        check(Connection(broker.port).read_all("t", 0) == [(0, b"x")], "the log reads differently")
        broker.stop()


if __name__ == "__main__":
    main(every_codec_of_java_is_stored_as_it_came, after_kills_and_rolls_too, a_damaged_index_is_noticed,
         an_index_whose_log_is_gone_goes_too)
