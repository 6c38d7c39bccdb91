"""A Kafka client that is small enough to be trusted: non-flexible versions only, one request at a time.

It says what was acknowledged and with which offset, which ordinary clients hide."""
import socket, struct, time

API = {"produce": (0, 7), "fetch": (1, 11), "list_offsets": (2, 4), "metadata": (3, 4), "api_versions": (18, 0),
       "create_topics": (19, 2), "delete_topics": (20, 1), "init_producer_id": (22, 0)}


def crc32c_table():
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
        table.append(crc)
    return table


TABLE = crc32c_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    table = TABLE
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 255]
    return crc ^ 0xFFFFFFFF


def varint(value):
    value = value << 1 ^ value >> 63
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def record_batch(values, timestamp=None, producer=(-1, -1, -1)):
    timestamp = timestamp or int(time.time() * 1000)
    records = bytearray()
    for i, value in enumerate(values):
        body = b"\0" + varint(0) + varint(i) + varint(-1) + varint(len(value)) + value + varint(0)
        records += varint(len(body)) + body
    summed = struct.pack(">hiqqqhii", 0, len(values) - 1, timestamp, timestamp, *producer, len(values)) + records
    return struct.pack(">qiibI", 0, len(summed) + 9, -1, 2, crc32c(summed)) + summed


def read_varint(data, at):
    shift = value = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return (value >> 1) ^ -(value & 1), at


def batch_values(data):
    """(offset, value) of every record of uncompressed batches; a cut last batch is left out."""
    at, out = 0, []
    while at + 61 <= len(data):
        base, length = struct.unpack_from(">qi", data, at)
        end = at + 12 + length
        if end > len(data):
            break
        crc, = struct.unpack_from(">I", data, at + 17)
        assert crc32c(data[at + 21:end]) == crc, f"the batch at offset {base} does not carry its checksum"
        count, = struct.unpack_from(">i", data, at + 57)
        p = at + 61
        for _ in range(count):
            size, p = read_varint(data, p)
            stop = p + size
            _, q = read_varint(data, p + 1)
            delta, q = read_varint(data, q)
            n, q = read_varint(data, q)
            q += max(n, 0)
            n, q = read_varint(data, q)
            out.append((base + delta, bytes(data[q:q + n])))
            p = stop
        at = end
    return out


class Cursor:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, form):
        values = struct.unpack_from(">" + form, self.data, self.at)
        self.at += struct.calcsize(">" + form)
        return values[0] if len(values) == 1 else values

    def string(self):
        n = self.take("h")
        if n < 0:
            return None
        self.at += n
        return self.data[self.at - n:self.at].decode()

    def bytes(self):
        n = self.take("i")
        self.at += max(n, 0)
        return self.data[self.at - n:self.at] if n >= 0 else b""


def text(value):
    return struct.pack(">h", -1) if value is None else struct.pack(">h", len(value)) + value.encode()


class Connection:
    def __init__(self, port, timeout=20, client="wire"):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.client, self.correlation = client, 0

    def close(self):
        self.socket.close()

    def send(self, api, body):
        key, version = API[api]
        self.correlation += 1
        header = struct.pack(">hhi", key, version, self.correlation) + text(self.client)
        self.socket.sendall(struct.pack(">i", len(header) + len(body)) + header + body)
        return self.correlation

    def receive(self):
        size, = struct.unpack(">i", self.exactly(4))
        answer = Cursor(self.exactly(size))
        return answer.take("i"), answer

    def exactly(self, n):
        data = bytearray()
        while len(data) < n:
            part = self.socket.recv(n - len(data))
            if not part:
                raise ConnectionError("closed by the broker")
            data += part
        return bytes(data)

    def ask(self, api, body):
        sent = self.send(api, body)
        got, answer = self.receive()
        assert got == sent, f"answer {got} to request {sent}"
        return answer

    def produce_body(self, topic, partition, batch, acks=-1, timeout=10000):
        return (text(None) + struct.pack(">hii", acks, timeout, 1) + text(topic)
                + struct.pack(">iii", 1, partition, len(batch)) + batch)

    def produced(self, answer):
        """(error, base offset) of a produce answer with one partition."""
        answer.take("i"), answer.string()
        _, _, error, base, _, _ = answer.take("iihqqq")
        return error, base

    def produce(self, topic, partition, values, acks=-1, producer=(-1, -1, -1)):
        return self.produced(self.ask("produce", self.produce_body(
            topic, partition, record_batch(values, producer=producer), acks)))

    def fetch(self, topic, partition, offset, max_bytes=1 << 20, wait=100, min_bytes=1):
        """(error, high watermark, record bytes)"""
        answer = self.ask("fetch", struct.pack(">iiiibiii", -1, wait, min_bytes, max_bytes, 0, 0, -1, 1) + text(topic)
                          + struct.pack(">iiiqqi", 1, partition, -1, offset, -1, max_bytes)
                          + struct.pack(">i", 0) + text(""))
        answer.take("ihi")
        if answer.take("i") == 0:
            return 0, -1, b""
        answer.string()
        _, _, error, high, _, _ = answer.take("iihqqq")
        for _ in range(max(answer.take("i"), 0)):
            answer.take("qq")
        answer.take("i")
        return error, high, answer.bytes()

    def read_all(self, topic, partition, offset=0):
        out = []
        while True:
            error, high, data = self.fetch(topic, partition, offset, 8 << 20)
            assert error == 0, f"fetch at {offset}: error {error}"
            got = [pair for pair in batch_values(data) if pair[0] >= offset]
            if not got:
                assert offset >= high, f"nothing at {offset}, high watermark {high}"
                return out
            out += got
            offset = got[-1][0] + 1

    def offset(self, topic, partition, timestamp=-1):
        answer = self.ask("list_offsets", struct.pack(">ibi", -1, 0, 1) + text(topic)
                          + struct.pack(">iiiq", 1, partition, -1, timestamp))
        answer.take("ii"), answer.string()
        _, _, error, _, offset, _ = answer.take("iihqqi")
        return error, offset

    def create(self, topic, partitions=1, configs=None, validate=False):
        configs = configs or {}
        body = struct.pack(">i", 1) + text(topic) + struct.pack(">ihii", partitions, 1, 0, len(configs))
        for name, value in configs.items():
            body += text(name) + text(value)
        answer = self.ask("create_topics", body + struct.pack(">ib", 10000, validate))
        answer.take("ii"), answer.string()
        return answer.take("h")

    def delete(self, topic):
        answer = self.ask("delete_topics", struct.pack(">i", 1) + text(topic) + struct.pack(">i", 10000))
        answer.take("ii"), answer.string()
        return answer.take("h")

    def producer_id(self):
        answer = self.ask("init_producer_id", text(None) + struct.pack(">i", 60000))
        _, error, producer, epoch = answer.take("ihqh")
        return error, producer, epoch
