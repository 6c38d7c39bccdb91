"""mortise produce, consume and topic against a broker, with kcat as the other end; and against what is no broker."""
import base64, json, os, socket, subprocess, threading, time

from harness import BUILD, Broker, check, free_port, main, need, run
from wire import Connection

MORTISE = BUILD / "bin/mortise"
LINES = [f"line {i} with ümlauts" for i in range(5000)]
TEXT = ("\n".join(LINES) + "\n").encode()


def mortise(*arguments, input=b"", timeout=60):
    """(exit code, standard output, standard error)"""
    result = subprocess.run([str(MORTISE), *map(str, arguments)], input=input, capture_output=True, timeout=timeout)
    return result.returncode, result.stdout, result.stderr.decode()


def produce(broker, topic, data, *more):
    code, out, err = mortise("produce", "-b", broker.address, "-t", topic, *more, input=data)
    check((code, out, err) == (0, b"", ""), f"produce: {code} {out} {err}")


def consume(broker, topic, *more):
    code, out, err = mortise("consume", "-b", broker.address, "-t", topic, "--exit-eof", *more)
    check((code, err) == (0, ""), f"consume: {code} {err}")
    return out


def objects(broker, topic, *more):
    return [json.loads(line) for line in consume(broker, topic, "--format", "json", *more).splitlines()]


def fails(want, *arguments, input=b"", says=()):
    code, out, err = mortise(*arguments, input=input)
    check(code == want, f"{arguments}: exit {code}, not {want}: {err}")
    for text in says:
        check(text in err, f"{arguments}: {text!r} is not in {err!r}")
    check(err.count("\n") == 1, f"{arguments}: more than one line: {err!r}")
    return out


def goes_round_with_kcat():
    kcat = need("kcat")
    with Broker() as broker:
        for codec in ("none", "zstd"):
            for acks in ("0", "1", "all"):
                topic = f"{codec}-{acks}"
                Connection(broker.port).create(topic)
                produce(broker, topic, TEXT, "-z", codec, "-a", acks)
                if acks == "0":
                    wait_for(broker, topic, len(LINES))
                out = run(kcat, "-b", broker.address, "-t", topic, "-C", "-o", "beginning", "-e", "-q")
                check(out.splitlines() == LINES, f"{topic}: kcat reads something else")
                check(consume(broker, topic) == TEXT, f"{topic}: it reads something else itself")
        for codec in ("none", "zstd"):
            run(kcat, "-b", broker.address, "-t", f"kcat-{codec}", "-P", "-z", codec, input=TEXT)
            check(consume(broker, f"kcat-{codec}") == TEXT, f"{codec}: something else than kcat wrote")
        broker.stop()


def wait_for(broker, topic, end):
    wire = Connection(broker.port)
    for _ in range(200):
        if wire.offset(topic, 0)[1] >= end:
            return
        time.sleep(0.05)
    raise AssertionError(f"{topic} does not reach {end}")


def zstd_is_what_is_stored():
    with Broker() as broker:
        produce(broker, "packed", TEXT, "-z", "zstd")
        _, _, data = Connection(broker.port).fetch("packed", 0, 0)
        check(data[22] & 7 == 4, f"attributes of the first batch: {data[22]}")
        check(len(data) < len(TEXT) // 2, f"{len(data)} bytes of {len(TEXT)}")
        broker.stop()


def every_codec_without_plugin_is_named():
    kcat = need("kcat")
    with Broker() as broker:
        for codec in ("gzip", "snappy", "lz4"):
            run(kcat, "-b", broker.address, "-t", codec, "-P", "-z", codec, input=TEXT)
            if (BUILD / f"plugins/codec-{codec}.so").exists():
                check(consume(broker, codec) == TEXT, f"{codec}: something else than kcat wrote")
                continue
            fails(1, "consume", "-b", broker.address, "-t", codec, "-e",
                  says=(f"topic {codec}, partition 0, offset ", f"compressed with {codec}"))
        broker.stop()


def keys_pick_the_partition_that_java_picks():
    with Broker() as broker:
        Connection(broker.port).create("keyed", 5)
        for key, value in JAVA.items():
            check(murmur2(key.encode()) == value & 0x7FFFFFFF, f"the test's own hash of {key}")
        want = [*JAVA, "", "a", "ab", "abcd"]
        data = "".join(f"{key}:v {key}\n" for key in want) + "no key\n"
        produce(broker, "keyed", data.encode(), "-k", ":")
        got = objects(broker, "keyed")
        check(len(got) == len(want) + 1, f"{len(got)} records")
        for record in got:
            if record["key"] is None:
                check(record["value"] == "no key", f"{record}")
                continue
            check(record["value"] == f"v {record['key']}", f"{record}")
            check(record["partition"] == murmur2(record["key"].encode()) % 5, f"{record}")
        text = consume(broker, "keyed", "-k", "=")
        check(b"abc=v abc\n" in text and b"\n=no key\n" in b"\n" + text, f"{text}")
        broker.stop()


# What Kafka's Java client makes of these keys.
JAVA = {"21": -973932308, "foobar": -790332482, "a-little-bit-long-string": -985981536,
        "a-little-bit-longer-string": -1486304829, "abc": 479470107,
        "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971}


def murmur2(data):
    """As Kafka's documents give it: 32-bit MurmurHash2, seed 0x9747b28c, positive."""
    mask, m = 0xFFFFFFFF, 0x5BD1E995
    h = 0x9747B28C ^ len(data)
    whole = len(data) // 4 * 4
    for i in range(0, whole, 4):
        k = int.from_bytes(data[i:i + 4], "little") * m & mask
        h = (h * m & mask) ^ ((k ^ k >> 24) * m & mask)
    if whole < len(data):
        h = (h ^ int.from_bytes(data[whole:], "little")) * m & mask
    h = (h ^ h >> 13) * m & mask
    return (h ^ h >> 15) & 0x7FFFFFFF


def what_is_not_utf8_is_refused_with_its_place():
    with Broker() as broker:
        bad = "gut\nübel ".encode() + b"\xff\nnever\n"
        where = ("produce", "-b", broker.address, "-t", "text")
        out = fails(1, *where, "-v", input=bad, says=("line 2, column 6", "UTF-8"))
        check(out == b"1 records to text\n", f"{out}")
        check(consume(broker, "text") == b"gut\n", "something else than the line before")
        fails(1, *where, "-k", ":", input=b"\xc3:value\n", says=("line 1, column 1",))
        produce(broker, "bytes", bad, "-s", "none")
        check(consume(broker, "bytes") == bad, "serializer none changed bytes")
        second = objects(broker, "bytes")[1]
        check("value" not in second, f"{second}")
        check(base64.b64decode(second["value_base64"]) == bad.split(b"\n")[1], f"{second}")
        check(all("value_base64" in r for r in objects(broker, "bytes", "-s", "none")), "text without a serializer")
        broker.stop()


def json_says_all_of_a_record():
    kcat = need("kcat")
    with Broker() as broker:
        nasty = "\"quoted\" \\ \t \x01 \x7f € 𝄞"
        began = time.time() * 1000
        run(kcat, "-b", broker.address, "-t", "json", "-P", "-K", "|", "-H", "h=1", "-H", "other=\"x\"",
            input=f"k|{nasty}\n".encode())
        run(kcat, "-b", broker.address, "-t", "json", "-P", "-Z", input=b"\n\n")
        produce(broker, "json", b"\n")
        got = objects(broker, "json")
        first = got[0]
        check(began - 5000 < first.pop("timestamp") < time.time() * 1000 + 5000, "its timestamp")
        check(first == {"topic": "json", "partition": 0, "offset": 0, "key": "k", "value": nasty,
                        "headers": [{"key": "h", "value": "1"}, {"key": "other", "value": "\"x\""}]}, f"{first}")
        check(got[-1]["value"] == "" and got[-1]["key"] is None and "headers" not in got[-1], f"{got[-1]}")
        check([r["offset"] for r in got] == list(range(len(got))), "offsets")
        broker.stop()


def it_begins_and_ends_where_told():
    with Broker() as broker:
        Connection(broker.port).create("range", 2)
        for partition in range(2):
            produce(broker, "range", "".join(f"{partition}.{i}\n" for i in range(10)).encode(), "-p", partition)
        one = ("-p", "1")
        check(consume(broker, "range", *one, "-f", "7") == b"1.7\n1.8\n1.9\n", "from an offset")
        check(consume(broker, "range", *one, "-f", "-2") == b"1.8\n1.9\n", "from before the end")
        check(consume(broker, "range", *one, "-f", "-99").startswith(b"1.0\n"), "from before the beginning")
        check(consume(broker, "range", *one, "-f", "latest") == b"", "from the end")
        check(consume(broker, "range", *one, "-n", "3") == b"1.0\n1.1\n1.2\n", "a count")
        check(len(consume(broker, "range", "-p", "all").splitlines()) == 20, "all partitions")
        check(len(consume(broker, "range", "-n", "15").splitlines()) == 15, "a count over all partitions")
        fails(1, "consume", "-b", broker.address, "-t", "range", "-p", "1", "-f", "11",
              says=("OFFSET_OUT_OF_RANGE", "topic range, partition 1", broker.address))
        fails(1, "consume", "-b", broker.address, "-t", "range", "-p", "2", says=("partitions 0 to 1",))
        broker.stop()


def it_waits_for_what_comes_and_survives_a_restart():
    with Broker() as broker:
        Connection(broker.port).create("live")
        reader = subprocess.Popen([str(MORTISE), "consume", "-b", broker.address, "-t", "live", "-n", "3"],
                                  stdout=subprocess.PIPE)
        writer = subprocess.Popen([str(MORTISE), "produce", "-b", broker.address, "-t", "live", "-v"],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            for i in range(2):
                writer.stdin.write(f"{i}\n".encode())
                writer.stdin.flush()
                check(reader.stdout.readline() == f"{i}\n".encode(), f"line {i} was not there at once")
            broker.kill()
            broker.start()
            out, _ = writer.communicate(b"2\n", timeout=30)
            check(writer.returncode == 0 and out == b"3 records to live\n", f"{writer.returncode} {out}")
            check(reader.stdout.read() == b"2\n" and reader.wait(30) == 0, "the reader did not come back")
        finally:
            reader.kill(), writer.kill()
        check(consume(broker, "live") == b"0\n1\n2\n", "not once each")
        broker.stop()


def large_records_and_small_limits():
    with Broker() as broker:
        large = b"x" * 900000 + b"\n" + b"y" * 300000 + b"\n"
        for codec in ("none", "zstd"):
            produce(broker, f"large-{codec}", large, "-z", codec)
            check(consume(broker, f"large-{codec}") == large, f"{codec}: large records differ")
        fails(1, "produce", "-b", broker.address, "-t", "large-none", input=b"z" * 2000000,
              says=("MESSAGE_TOO_LARGE", "topic large-none, partition 0"))
        check(consume(broker, "large-none") == large, "something was written all the same")
        broker.stop()


def unknown_topics_and_no_broker():
    with Broker() as broker:
        at = ("-b", broker.address)
        fails(1, "consume", *at, "-t", "nowhere", says=("topic nowhere: UNKNOWN_TOPIC_OR_PARTITION", broker.address))
        fails(1, "produce", *at, "-t", "_text", "-s", "nosuch", says=("nosuch",))
        broker.stop()
    with Broker("broker.auto_create_topics_enable=false") as broker:
        fails(1, "produce", "-b", broker.address, "-t", "nowhere", "--timeout", "500", input=b"x\n",
              says=("topic nowhere: UNKNOWN_TOPIC_OR_PARTITION",))
        broker.stop()
    nobody = f"127.0.0.1:{free_port()}"
    for command in ("produce", "consume"):
        fails(1, command, "-b", nobody, "-t", "t", says=(nobody, "refused"))
    fails(1, "consume", "-b", "127.0.0.1:1x", "-t", "t", says=("HOST:PORT",))


def what_answers_is_not_a_broker():
    def serve(answer):
        server = socket.create_server(("127.0.0.1", 0))

        def once():
            peer, _ = server.accept()
            with peer:
                peer.recv(4096)
                if answer is None:
                    time.sleep(2)
                else:
                    peer.sendall(answer)
        threading.Thread(target=once, daemon=True).start()
        return f"127.0.0.1:{server.getsockname()[1]}", server

    cases = ((b"", "closed the connection"), (b"HTTP/1.1 400 Bad Request\r\n\r\n", "not a Kafka broker"),
             (b"\0\0\0\x06\0\0\0\x07\0\0", "cannot be read"), (b"\0\0\0\x08\0\0\0\x01\0\0\x7f\xff", "cannot be read"),
             (None, "no answer in time"))
    for answer, says in cases:
        address, server = serve(answer)
        fails(1, "consume", "-b", address, "-t", "t", "--timeout", "1000", says=(address, says))
        server.close()


def the_command_line_is_checked():
    for line in (["produce"], ["consume", "-b", "h:1"], ["produce", "-b", "h:1", "-t", "a/b"],
                 ["consume", "-b", "h:1", "-t", "..", "-e"], ["produce", "-b", "h:1", "-t", "t", "--acks", "2"],
                 ["produce", "-b", "h:1", "-t", "t", "-z", "gzip"], ["consume", "-b", "h:1", "-t", "t", "-n", "0"],
                 ["consume", "-b", "h:1", "-t", "t", "-p", "-1"], ["consume", "-b", "h:1", "-t", "t", "--nosuch"],
                 ["consume", "-b", "h:1", "-t"], ["consume", "-b", "h:1", "-t", "t", "-f", "noon"],
                 ["consume", "-b", "h:1", "-t", "t", "more"]):
        fails(2, *line)
    check(mortise("nosuch")[0] == 2 and mortise()[0] == 2, "no command")
    code, out, err = mortise("--help")
    check(code == 0 and err == "", "mortise --help")
    for command in ("produce", "consume", "topic"):
        check(f"  {command} " in out.decode(), f"{command} is not in --help")
        code, text, err = mortise(*(["topic", "create"] if command == "topic" else [command]), "--help")
        check(code == 0 and err == "" and b"--bootstrap HOST:PORT" in text, f"{command} --help: {code} {err}")


def topic(broker, command, *more):
    code, out, err = mortise("topic", command, "-b", broker.address, *more)
    check((code, err) == (0, ""), f"topic {command} {more}: {code} {err}")
    return out.decode()


def topics_are_made_shown_and_deleted():
    with Broker() as broker:
        check(topic(broker, "list") == "" and topic(broker, "describe") == "", "topics of nobody")
        topic(broker, "create", "-t", "b", "-p", "3", "-c", "retention.ms=3600000", "-c", "flush=none")
        topic(broker, "create", "-t", "a", "-c", "flush=interval", "-c", "flush.ms=250")
        topic(broker, "create", "-t", "c")
        check(topic(broker, "list") == "a\nb\nc\n", "its list")
        b = topic(broker, "describe", "-t", "b")
        for line in ("b: 3 partitions", "survive: the process, not the machine", "retention.ms = 3600000",
                     "partition 2: leader 1, replicas 1, in sync 1"):
            check(line in b, f"{line!r} is not in {b}")
        check("a power cut, but for the last 250 ms" in topic(broker, "describe", "-t", "a"), "interval")
        check("survive: a power cut\n" in topic(broker, "describe", "-t", "c"), "ack, the default of one replica")
        check(topic(broker, "describe").count("partition 0") == 3, "all of them")
        at = ("-b", broker.address)
        fails(1, "topic", "create", *at, "-t", "a", says=("topic a: TOPIC_ALREADY_EXISTS",))
        fails(1, "topic", "create", *at, "-t", "d", "-c", "flush=maybe", says=("INVALID_CONFIG", "flush"))
        fails(1, "topic", "create", *at, "-t", "d", "-r", "3", says=("INVALID_REPLICATION_FACTOR",))
        fails(1, "topic", "delete", *at, "-t", "d", says=("topic d: UNKNOWN_TOPIC_OR_PARTITION",))
        fails(1, "topic", "describe", *at, "-t", "d", says=("topic d: UNKNOWN_TOPIC_OR_PARTITION",))
        fails(2, "topic", "create", *at, "-t", "d", "-c", "flush")
        fails(2, "topic", "delete", *at)
        topic(broker, "delete", "-t", "b")
        check(topic(broker, "list") == "a\nc\n", "b is still listed")
        broker.stop()


def a_full_pipe_or_disk_is_noticed():
    with Broker() as broker:
        produce(broker, "out", TEXT)
        with open("/dev/full", "wb") as full:
            result = subprocess.run([str(MORTISE), "consume", "-b", broker.address, "-t", "out", "-e"],
                                    stdout=full, stderr=subprocess.PIPE, timeout=30)
        check(result.returncode == 1 and b"standard output" in result.stderr, f"{result}")
        head = os.popen(f"{MORTISE} consume -b {broker.address} -t out | head -2").read()
        check(head.splitlines() == LINES[:2], f"{head}")
        broker.stop()


if __name__ == "__main__":
    main(goes_round_with_kcat, zstd_is_what_is_stored, every_codec_without_plugin_is_named,
         keys_pick_the_partition_that_java_picks, what_is_not_utf8_is_refused_with_its_place,
         json_says_all_of_a_record, it_begins_and_ends_where_told, it_waits_for_what_comes_and_survives_a_restart,
         large_records_and_small_limits, unknown_topics_and_no_broker, what_answers_is_not_a_broker,
         topics_are_made_shown_and_deleted, the_command_line_is_checked, a_full_pipe_or_disk_is_noticed)
