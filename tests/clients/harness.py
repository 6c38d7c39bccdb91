"""What the tests against a running broker share: the broker itself, Kafka's tools, skips that are seen.

A test is a program: it exits 0, 1 with what went wrong, or 77 when a peer it needs is not installed;
with CI=true in the environment that is a failure, too.
"""
import os, pathlib, shutil, signal, socket, subprocess, sys, tempfile, time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("MORTISE_BUILD", ROOT / "build/dev"))
SKIP = 77


def skip(why):
    print(f"SKIPPED: {why}")
    if os.environ.get("CI") == "true":
        print("with CI=true this peer must be there")
        sys.exit(1)
    sys.exit(SKIP)


def need(program):
    path = shutil.which(program)
    return path or skip(f"{program} is not installed")


def check(condition, text):
    if not condition:
        raise AssertionError(text)


class Broker:
    """A broker of its own on a free port, with its data in a directory that goes with it."""

    def __init__(self, *options, reactors=2, data=None, binary=None, level="info"):
        self.home = pathlib.Path(data or tempfile.mkdtemp(prefix="mortise-test-"))
        self.owned = data is None
        self.options = [f"broker.reactors={reactors}", f"broker.log_level={level}", *options]
        self.binary = binary or BUILD / "bin/mortised"
        self.process, self.port, self.log = None, 0, self.home / "broker.log"

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def command(self):
        empty = self.home / "conf"
        empty.mkdir(parents=True, exist_ok=True)
        line = [str(self.binary), "--conf", str(empty)]
        fixed = [f"broker.log_dirs={self.home}/data",
                 f"listeners.kafka.bind=127.0.0.1:{self.port}"]
        for option in fixed + self.options:
            line += ["-o", option]
        return line

    def start(self, timeout=20):
        if self.port == 0:
            self.port = free_port()
        began = time.monotonic()
        with open(self.log, "ab") as log:
            at = log.tell()
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        while "broker.ready" not in self.text(at):
            if self.process.poll() is not None:
                raise AssertionError(f"mortised ended with {self.process.returncode}:\n{self.text(at)}")
            if time.monotonic() - began > timeout:
                raise AssertionError(f"not ready after {timeout} s:\n{self.text(at)}")
            time.sleep(0.002)
        self.started_in = time.monotonic() - began
        return self

    def text(self, at=0):
        with open(self.log, "rb") as log:
            log.seek(at)
            return log.read().decode(errors="replace")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self, timeout=40):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout)
        check(status == 0, f"mortised ended with {status}:\n{self.text()[-4000:]}")

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, value, trace):
        if self.alive():
            self.kill()
        if kind is not None:
            print(f"--- the end of {self.log}:\n{self.text()[-6000:]}")
        elif self.owned:
            shutil.rmtree(self.home, ignore_errors=True)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run(*command, input=None, timeout=120, ok=(0,), everything=False):
    """The output of a command that must succeed; with everything its error output, too."""
    result = subprocess.run([str(part) for part in command], input=input, capture_output=True, timeout=timeout)
    if everything:
        result.stdout += result.stderr
    out = result.stdout.decode(errors="replace")
    check(result.returncode in ok,
          f"{' '.join(map(str, command))}: exit {result.returncode}\n{out}\n{result.stderr.decode(errors='replace')}")
    return out


def kafka_libs():
    """The jars of Apache Kafka, fetched once by Maven into the build folder."""
    libs = BUILD.parent / "kafka-libs"
    if not (libs / ".complete").exists():
        need("java"), need("mvn")
        result = subprocess.run(["mvn", "-q", "-B", "-f", str(ROOT / "tests/clients/pom.xml"),
                                 "dependency:copy-dependencies", f"-DoutputDirectory={libs}"],
                                capture_output=True, text=True, timeout=600)
        if result.returncode != 0:
            skip(f"Maven cannot fetch Kafka: {result.stdout[-400:]}")
        (libs / ".complete").touch()
    return libs


TOOLS = {
    "console-producer": "org.apache.kafka.tools.ConsoleProducer",
    "console-consumer": "org.apache.kafka.tools.consumer.ConsoleConsumer",
    "topics": "org.apache.kafka.tools.TopicCommand",
    "dump-log": "kafka.tools.DumpLogSegments",
    "configs": "kafka.admin.ConfigCommand",
}


def kafka_tool(name, *arguments, **how):
    need("java")
    libs = kafka_libs()
    return run("java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-cp", f"{libs}/*", TOOLS[name], *arguments, **how)


def main(*tests):
    """Runs functions in order; prints what each showed."""
    wanted = sys.argv[1:]
    failed = 0
    for test in tests:
        if wanted and test.__name__ not in wanted:
            continue
        began = time.monotonic()
        try:
            said = test()
        except (AssertionError, subprocess.TimeoutExpired) as error:
            failed += 1
            print(f"FAILED {test.__name__}: {error}", flush=True)
        else:
            print(f"passed {test.__name__} in {time.monotonic() - began:.1f} s{': ' + said if said else ''}", flush=True)
    sys.exit(failed > 0)
