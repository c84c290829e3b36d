"""Where the proxy may listen, and who can reach it there."""

import os
import socket
import stat
import subprocess
import sys
import tempfile
import threading

import pytest
from raw_http import everything, guarded, is_root, statuses

from headroom_cli.errors import ConfigError
from headroom_cli.serve.listening import bind, may_bind
from headroom_cli.serve.options import Serving

STARTS = [
    ({"host": "127.0.0.1"}, True),
    ({"host": "127.8.9.10"}, True),
    ({"host": "localhost"}, True),
    ({"host": "::1"}, True),
    ({"host": "0.0.0.0"}, False),
    ({"host": "::"}, False),
    ({"host": ""}, False),
    ({"host": "192.168.1.5"}, False),
    ({"host": "127.1"}, False),
    ({"host": "2130706433"}, False),
    ({"host": "localhost.evil.example"}, False),
    ({"host": "0.0.0.0", "token": "t"}, True),
    ({"host": "0.0.0.0", "unix": "/run/headroom/socket"}, True),
]


@pytest.mark.parametrize(("given", "may"), STARTS, ids=str)
def test_others_can_reach_it_only_with_a_token(given, may):
    serving = Serving("nowhere", port=0, **given)
    if may:
        may_bind(serving)
    else:
        with pytest.raises(ConfigError):
            may_bind(serving)
        with pytest.raises(ConfigError):
            bind(serving)


def close(listeners):
    for listener in listeners:
        listener.close()


def test_it_listens_where_it_was_asked_to():
    listeners = bind(Serving("nowhere", port=0))
    try:
        assert [listener.getsockname()[0] for listener in listeners] == ["127.0.0.1"]
        port = listeners[0].getsockname()[1]
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
        with pytest.raises(ConfigError, match="somebody listens there"):
            bind(Serving("nowhere", port=port))
    finally:
        close(listeners)
    close(bind(Serving("nowhere", port=port)))  # free again at once


def test_localhost_is_each_of_its_addresses_with_one_port():
    listeners = bind(Serving("nowhere", host="localhost", port=0))
    try:
        assert {listener.getsockname()[0] for listener in listeners} <= {"127.0.0.1", "::1"}
        assert len({listener.getsockname()[1] for listener in listeners}) == 1
    finally:
        close(listeners)


def test_an_address_of_another_machine_is_a_clear_error():
    for host in ("203.0.113.7", "no such name", "a" * 70 + ".example"):
        with pytest.raises(ConfigError, match="cannot listen on"):
            bind(Serving("nowhere", host=host, port=0, token="t"))
    for port in (-1, 65536, 1 << 40):
        with pytest.raises(ConfigError, match="cannot listen on"):
            bind(Serving("nowhere", port=port))
    with pytest.raises(ConfigError, match="cannot listen on"):
        bind(Serving("nowhere", unix="/a\0b/s"))


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory() as made:  # short enough for a socket's path, and 0700
        yield made


def unix(folder, name="s"):
    return Serving("nowhere", unix=os.path.join(folder, name))


def test_a_unix_socket_serves_and_is_for_its_owner_alone(folder):
    serving = unix(folder)
    before = os.umask(0)
    try:
        (listener,) = bind(serving)
    finally:
        os.umask(before)
    assert stat.S_IMODE(os.stat(serving.unix).st_mode) == 0o600
    with guarded(serving, listener) as (_, through), socket.socket(socket.AF_UNIX) as client:
        client.settimeout(20)
        client.connect(serving.unix)
        client.sendall(b"GET /stats HTTP/1.1\r\nHost: headroom\r\nConnection: close\r\n\r\n")
        assert statuses(everything(client)) == [200]
        assert through == ["/stats"]


def test_a_folder_that_others_may_enter_is_refused(folder):
    for mode in (0o755, 0o711, 0o750, 0o701, 0o777):
        os.chmod(folder, mode)
        with pytest.raises(ConfigError, match="chmod 700"):
            bind(unix(folder))
        assert os.listdir(folder) == []
    os.chmod(folder, 0o700)
    close(bind(unix(folder)))


def test_a_folder_that_is_missing_or_too_deep_is_refused(folder):
    with pytest.raises(ConfigError, match="is missing"):
        bind(unix(os.path.join(folder, "none")))
    with pytest.raises(ConfigError, match="too long"):
        bind(unix(folder, "s" * 200))


@pytest.mark.skipif(not is_root(), reason="only root can give a folder away")
def test_a_folder_of_somebody_else_is_refused(folder):
    os.chown(folder, 65534, 65534)
    try:
        with pytest.raises(ConfigError, match="must be yours"):
            bind(unix(folder))
    finally:
        os.chown(folder, 0, 0)


def test_what_is_no_socket_stays(folder):
    target = os.path.join(folder, "file")
    with open(target, "w") as file:
        file.write("mine")
    os.symlink(target, os.path.join(folder, "link"))
    os.symlink(os.path.join(folder, "nothing"), os.path.join(folder, "broken"))
    os.mkdir(os.path.join(folder, "directory"))
    for name in ("file", "link", "broken", "directory"):
        with pytest.raises(ConfigError, match="is no socket"):
            bind(unix(folder, name))
    with open(target) as file:
        assert file.read() == "mine"


def test_a_socket_is_replaced_only_when_nobody_listens(folder):
    serving = unix(folder)
    first = bind(serving)
    with pytest.raises(ConfigError, match="somebody listens"):
        bind(serving)
    close(first)
    assert os.path.exists(serving.unix)  # as a killed process leaves it
    second = bind(serving)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(serving.unix)
    close(second)


def test_of_many_that_start_at_once_one_listens(folder):
    serving = unix(folder)
    close(bind(serving))  # a stale one lies there
    made, refused = [], []

    def start():
        try:
            made.extend(bind(serving))
        except ConfigError as error:
            refused.append(error)

    threads = [threading.Thread(target=start) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(made), len(refused)) == (1, 11)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(serving.unix)
    close(made)


KNOCK = """
import socket, sys
try:
    socket.socket(socket.AF_UNIX).connect(sys.argv[1])
except PermissionError:
    sys.exit(13)
"""


@pytest.mark.skipif(not is_root(), reason="only root can become somebody else")
def test_somebody_else_cannot_connect(folder):
    serving = unix(folder)
    (listener,) = bind(serving)

    def knock():
        python = [os.path.realpath(sys.executable), "-I", "-S", "-c", KNOCK, serving.unix]
        return subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *python]).returncode

    with listener:
        assert knock() == 13  # the folder is closed
        os.chmod(folder, 0o755)
        assert knock() == 13  # and so is the socket
        os.chmod(serving.unix, 0o666)
        assert knock() == 0  # it was these that kept the door
