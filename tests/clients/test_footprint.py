"""What an idle broker takes, and how soon it has acknowledged a first record.

usage: test_footprint.py [RUNS]        medians over this many starts (5)"""
import pathlib, statistics, subprocess, sys, time

from harness import ROOT, Broker, check, skip
from wire import Connection

RSS_MIB, FIRST_ACK_MS = 12, 50
RELEASE = ROOT / "build/release/bin/mortised"


def rss_mib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    raise AssertionError("no VmRSS")


def first_ack_ms(broker):
    """From the start of the process to the answer of a produce; the topic is there already."""
    with open(broker.log, "ab") as log:
        began = time.monotonic()
        broker.process = subprocess.Popen(broker.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    while True:
        try:
            wire = Connection(broker.port, timeout=5)
            break
        except ConnectionRefusedError:
            check(broker.process.poll() is None, "the broker ended")
            check(time.monotonic() - began < 10, "nobody listens")
            time.sleep(0.0005)
    error, _ = wire.produce("first", 0, [b"x"])
    check(error == 0, f"produce: error {error}")
    return (time.monotonic() - began) * 1000


def main():
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    if not RELEASE.exists():
        skip("build/release is not built: footprints are those of a release build")
    acks, sizes = [], []
    with Broker(binary=RELEASE) as broker:
        check(Connection(broker.port).create("first") == 0, "create")
        broker.stop()
        for _ in range(runs):
            acks.append(first_ack_ms(broker))
            time.sleep(0.5)
            sizes.append(rss_mib(broker.process.pid))
            broker.stop()
        broker.process = None
    ack, size = statistics.median(acks), statistics.median(sizes)
    print(f"first acknowledged record after {ack:.1f} ms (at most {FIRST_ACK_MS}), from {min(acks):.1f} to {max(acks):.1f}")
    print(f"idle resident memory {size:.1f} MiB (at most {RSS_MIB}), from {min(sizes):.1f} to {max(sizes):.1f}")
    sys.exit(ack >= FIRST_ACK_MS or size > RSS_MIB)


if __name__ == "__main__":
    main()
