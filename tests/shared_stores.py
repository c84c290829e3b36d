"""Servers that keep shared stores, started for tests: Redis from the system, S3's protocol by moto; a bad network."""

import contextlib
import getpass
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

REDIS = shutil.which("redis-server")


def free_port():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


class RedisServer:
    """One real server with an append-only file."""

    def __init__(self, folder, *options):
        if REDIS is None:
            pytest.skip("redis-server is not installed")
        self.folder = folder
        self.port = free_port()
        self.options = options
        self.process = None
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [REDIS, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder), "--appendonly", "yes",
             "--appendfsync", "always", "--save", "", *self.options],
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        for _ in range(400):
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as made:
                    made.sendall(b"PING\r\n")
                    if made.recv(64).startswith((b"+PONG", b"-NOAUTH")):
                        return
            except OSError:
                pass
            time.sleep(0.02)
        raise AssertionError("the server did not start")

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait(20)

    def client(self):
        import redis

        return redis.Redis(port=self.port)

    def url(self, local, database=0, secret="", **options):
        more = "".join(f"&{name}={value}" for name, value in options.items())
        return f"redis://{secret}127.0.0.1:{self.port}/{database}?local={local}{more}"


class Bucket:
    """A server that speaks S3's protocol, in a process of its own, with one bucket."""

    def __init__(self):
        pytest.importorskip("moto", reason="moto is not installed")
        self.port = free_port()
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.endpoint = f"http://127.0.0.1:{self.port}"
        for _ in range(600):
            try:
                urllib.request.urlopen(urllib.request.Request(f"{self.endpoint}/bucket", method="PUT"), timeout=5)
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError("the server did not start")

    def url(self, local, prefix, **options):
        more = "".join(f"&{name}={value}" for name, value in options.items())
        return f"s3://bucket/{prefix}?local={local}&endpoint={self.endpoint}{more}"

    def stop(self):
        self.process.kill()
        self.process.wait(20)


class Swift:
    """OpenStack Swift with its S3 layer on one machine: four servers and memcached, one bucket, one user."""

    PARTS = ("account", "container", "object", "proxy")

    def __init__(self, folder):
        programs = [f"swift-{part}-server" for part in self.PARTS] + ["swift-ring-builder", "memcached"]
        for program in programs:
            if shutil.which(program) is None:
                pytest.skip(f"{program} is not installed")
        self.folder = folder
        (folder / "disks" / "d1").mkdir(parents=True)
        ports = {part: free_port() for part in (*self.PARTS, "cache")}
        user = f"user = {getpass.getuser()}"
        (folder / "swift.conf").write_text(
            "[swift-hash]\nswift_hash_path_suffix = a\nswift_hash_path_prefix = b\n"
            "[storage-policy:0]\nname = gold\ndefault = yes\n"
        )
        for part in self.PARTS[:3]:
            ring = f"--region 1 --zone 1 --ip 127.0.0.1 --port {ports[part]} --device d1 --weight 1".split()
            for more in (["create", "4", "1", "1"], ["add", *ring], ["rebalance"]):
                subprocess.run(["swift-ring-builder", f"{part}.builder", *more], cwd=folder, stdout=subprocess.DEVNULL)
            (folder / f"{part}.conf").write_text(
                f"[DEFAULT]\nbind_ip = 127.0.0.1\nbind_port = {ports[part]}\ndevices = {folder}/disks\n"
                f"mount_check = false\nswift_dir = {folder}\n{user}\nworkers = 0\n[pipeline:main]\n"
                f"pipeline = {part}-server\n[app:{part}-server]\nuse = egg:swift#{part}\n"
            )
        filters = {
            "cache": f"memcache\nmemcache_servers = 127.0.0.1:{ports['cache']}",
            "s3api": "s3api\nlocation = us-east-1\ncheck_bucket_owner = false", "copy": "copy", "slo": "slo",
            "tempauth": f"tempauth\nuser_test_{KEYS['AWS_ACCESS_KEY_ID'][5:]} = {KEYS['AWS_SECRET_ACCESS_KEY']} .admin",
            "dlo": "dlo", "versioned_writes": "versioned_writes",
        }  # fmt: skip
        (folder / "proxy.conf").write_text(
            f"[DEFAULT]\nbind_ip = 127.0.0.1\nbind_port = {ports['proxy']}\nswift_dir = {folder}\n{user}\n"
            "workers = 0\n[pipeline:main]\npipeline = cache s3api tempauth copy slo dlo versioned_writes proxy-server\n"
            "[app:proxy-server]\nuse = egg:swift#proxy\naccount_autocreate = true\nconn_timeout = 10\n"
            "allow_account_management = true\n"
            + "".join(f"[filter:{name}]\nuse = egg:swift#{text}\n" for name, text in filters.items())
        )
        commands = [[f"swift-{part}-server", f"{part}.conf"] for part in self.PARTS]
        commands.append(["memcached", "-l", "127.0.0.1", "-p", str(ports["cache"]), "-u", getpass.getuser()])
        self.processes = [
            subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for command in commands
        ]
        self.endpoint = f"http://127.0.0.1:{ports['proxy']}"
        client = boto3.client(
            "s3", endpoint_url=self.endpoint, region_name="us-east-1",
            aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"], aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
            config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}),
        )  # fmt: skip
        for _ in range(60):
            try:
                client.create_bucket(Bucket="bucket")
            except (BotoCoreError, ClientError):
                time.sleep(0.5)
            else:
                client.close()
                return
        self.stop()
        raise AssertionError("Swift did not start")

    def url(self, local, prefix, **options):
        more = "".join(f"&{name}={value}" for name, value in options.items())
        return f"s3://bucket/{prefix}?local={local}&endpoint={self.endpoint}{more}"

    def stop(self):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait(20)


# For a client of S3: what the server does not look at, but the client wants to have.
KEYS = {"AWS_ACCESS_KEY_ID": "test:nobody", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1"}


class BadNetwork:
    """Stands before a server: passes everything on, or takes connections and never answers while ``stalled``."""

    def __init__(self, port):
        self.target = port
        self.stalled = False
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.made = []
        self.threads = [threading.Thread(target=self.run, daemon=True)]
        self.threads[0].start()

    def run(self):
        while True:
            try:
                came, _ = self.listening.accept()
            except OSError:
                return
            try:
                out = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                came.close()
                continue
            self.made += [came, out]
            for one, other in ((came, out), (out, came)):
                thread = threading.Thread(target=self.pass_on, args=(one, other), daemon=True)
                self.threads.append(thread)
                thread.start()

    def pass_on(self, one, other):
        try:
            while data := one.recv(65_536):
                while self.stalled:
                    time.sleep(0.01)
                other.sendall(data)
        except OSError:
            pass
        finally:
            for side in (one, other):
                with contextlib.suppress(OSError):
                    side.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.stalled = False
        self.listening.shutdown(socket.SHUT_RDWR)
        self.threads[0].join(10)
        self.listening.close()
        for one in self.made:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join(10)
        for one in self.made:
            one.close()
