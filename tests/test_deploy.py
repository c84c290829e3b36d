"""What is in deploy/: read by the programs that check such files, and run as they say."""

import http.client
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import tomllib

import pytest
from conftest import ROOT
from proxies import Running

DEPLOY = ROOT / "deploy"
BIN = os.path.dirname(sys.executable)
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
USER = 10001
TOKEN = "open-sesame-123456"


def unit():
    """Return the settings of the unit: name -> values."""
    found = {}
    for line in (DEPLOY / "headroom.service").read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


def container():
    """Return the instructions of the container file, the last of each name, long lines joined."""
    text = re.sub(r"^#.*\n", "", (DEPLOY / "Dockerfile").read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    return dict(line.split(None, 1) for line in text.splitlines() if line.strip())


@pytest.fixture(scope="module")
def manifest():
    """Return the objects of the manifest by their kinds."""
    yaml = pytest.importorskip("yaml")
    return {one["kind"]: one for one in yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text())}


def pod(manifest):
    return manifest["Deployment"]["spec"]["template"]["spec"]


def dry(words, **environment):
    """Run a command of deploy/ as it stands, without serving; return what it says of itself."""
    assert words[0] in {"headroom", "/usr/local/bin/headroom"}
    done = subprocess.run(
        [f"{BIN}/headroom", *words[1:], "--dry-run"], capture_output=True, text=True, timeout=60,
        env={"PATH": os.environ["PATH"], **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout
    return json.loads(done.stdout)


# --- systemd


@pytest.fixture
def installed(tmp_path):
    """The unit with the path of a program that is here."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    path = tmp_path / "headroom.service"
    path.write_text((DEPLOY / "headroom.service").read_text().replace("/usr/local/bin/headroom", f"{BIN}/headroom"))
    return path


def test_systemd_knows_every_setting_of_the_unit(installed):
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", installed], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr.strip()) == (0, "")


def test_the_unit_is_closed_to_all_but_the_network(installed):
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--threshold=20", "--no-pager", installed],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-400:]


def test_the_unit_leaves_the_time_that_it_promises(tmp_path):
    said = unit()
    words = shlex.split(said["ExecStart"][0])
    drain = int(words[words.index("--drain") + 1])
    assert int(said["TimeoutStopSec"][0]) > drain + 30
    assert said["KillMode"] == ["mixed"]
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / "token").chmod(0o400)
    words = [word.replace("%d", str(tmp_path)).replace("${ALLOW_HOST}", "headroom.example.org") for word in words]
    words[words.index("--port") + 1] = "0"
    told = dry(words, HEADROOM_STORE=str(tmp_path / "store"), HOME=str(tmp_path))
    assert (told["listening"], told["token"]) == ("http://0.0.0.0:PORT", True)


# --- containers


def test_the_container_file_passes_its_linter():
    program = shutil.which("hadolint", path=f"{BIN}:{os.environ['PATH']}")
    if program is None:
        pytest.skip("hadolint is not installed")
    done = subprocess.run([program, "--failure-threshold", "style", DEPLOY / "Dockerfile"], capture_output=True)
    assert (done.returncode, done.stdout) == (0, b"")


def test_the_container_file_copies_what_the_wheel_is_built_from():
    text = (DEPLOY / "Dockerfile").read_text()
    copied = [word for line in re.findall(r"^COPY (?!--from)(.*)$", text, re.MULTILINE) for word in line.split()[:-1]]
    assert copied
    assert all((ROOT / name).exists() for name in copied)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for name in ("pyproject.toml", project["readme"], *project["license-files"], "headroom_cli"):
        assert name in copied
    extras = re.search(r'"\.\[([a-z,]+)\]"', text)[1].split(",")
    assert set(extras) <= set(project["optional-dependencies"])
    images = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
    assert all(":" in image and not image.endswith(":latest") for image in images)


def test_the_manifest_is_what_kubernetes_takes(manifest):
    validate = pytest.importorskip("kubernetes_validate")
    assert set(manifest) == {"Deployment", "Service", "PodDisruptionBudget"}
    for one in manifest.values():
        validate.validate(one, "1.32", strict=True)
    with pytest.raises(validate.ValidationError):  # it would say so
        validate.validate({**manifest["Service"], "sepc": {}}, "1.32", strict=True)


def test_the_manifest_names_what_is_there(manifest):
    deployment, service = manifest["Deployment"]["spec"], manifest["Service"]["spec"]
    labels = deployment["template"]["metadata"]["labels"]
    for selector in (deployment["selector"], manifest["PodDisruptionBudget"]["spec"]["selector"]):
        assert selector["matchLabels"].items() <= labels.items()
    assert service["selector"].items() <= labels.items()
    assert deployment["replicas"] == 3
    assert manifest["PodDisruptionBudget"]["spec"]["minAvailable"] < 3
    (proxy,) = pod(manifest)["containers"]
    assert proxy["image"].endswith(f":{VERSION}")
    ports = {port["name"]: port["containerPort"] for port in proxy["ports"]}
    assert str(ports["http"]) == container()["EXPOSE"]
    assert {port["targetPort"] for port in service["ports"]} <= set(ports)
    volumes = {volume["name"] for volume in pod(manifest)["volumes"]}
    assert {mount["name"] for mount in proxy["volumeMounts"]} == volumes
    paths = {mount["mountPath"] for mount in proxy["volumeMounts"]}
    words = json.loads(container()["ENTRYPOINT"])
    assert {words[words.index("--token-file") + 1], container()["VOLUME"]} <= paths
    assert int(words[words.index("--drain") + 1]) + 30 + 5 < pod(manifest)["terminationGracePeriodSeconds"]


def test_nobody_in_the_pod_can_do_more_than_it_must(manifest):
    (proxy,) = pod(manifest)["containers"]
    closed = proxy["securityContext"]
    assert closed["readOnlyRootFilesystem"] is True
    assert closed["allowPrivilegeEscalation"] is False
    assert closed["capabilities"] == {"drop": ["ALL"]}
    whole = pod(manifest)["securityContext"]
    assert whole["runAsNonRoot"] is True
    assert f"{whole['runAsUser']}:{whole['runAsGroup']}" == container()["USER"] == f"{USER}:{USER}"
    assert pod(manifest)["automountServiceAccountToken"] is False
    secrets = [one["valueFrom"]["secretKeyRef"]["name"] for one in proxy["env"]]
    assert secrets == ["headroom"]
    assert not re.search(r"redis://(?!headroom:PASSWORD)\S*@", (DEPLOY / "kubernetes.yaml").read_text())


def test_the_command_of_the_container_would_start(manifest, tmp_path):
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / "token").chmod(0o400)
    words = [*json.loads(container()["ENTRYPOINT"]), *pod(manifest)["containers"][0]["args"]]
    words[words.index("--token-file") + 1] = str(tmp_path / "token")
    words[words.index("--port") + 1] = "0"
    told = dry(words, HEADROOM_STORE=str(tmp_path / "store"), HOME=str(tmp_path))
    assert (told["listening"], told["token"]) == ("http://0.0.0.0:PORT", True)


def asked(url, path, **headers):
    """Ask as a probe does; return the status and the body."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_the_command_of_the_container_serves_as_a_user_without_rights(manifest, tmp_path):
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("only root can become another user")
    home = tmp_path / "home"
    home.mkdir(0o700)
    os.chown(home, USER, USER)
    for folder in (tmp_path, *tmp_path.parents[:3]):
        folder.chmod(folder.stat().st_mode | 0o011)
    token = tmp_path / "token"
    token.write_text(TOKEN)
    os.chown(token, 0, USER)
    token.chmod(0o440)  # as Kubernetes and systemd hand out a secret
    words = json.loads(container()["ENTRYPOINT"])[2:]
    words[words.index("--token-file") + 1] = str(token)
    at = words.index("--port")
    del words[at : at + 2]
    words[words.index("--drain") + 1] = "2"
    words.remove("--json")
    # The interpreter of these tests may stand in root's home: reading stays allowed, writing does not.
    as_user = shlex.split(
        f"setpriv --reuid={USER} --regid={USER} --clear-groups --no-new-privs "
        "--inh-caps=-all,+dac_read_search --ambient-caps=+dac_read_search"
    )
    running = Running(home / "store", "http://127.0.0.1:9", *words, *pod(manifest)["containers"][0]["args"],
                      environment={"HOME": str(home), "XDG_DATA_HOME": str(home)})  # fmt: skip
    running.command = [*as_user, *running.command]
    with running as proxy:
        url = f"http://127.0.0.1:{proxy.url.rpartition(':')[2]}"
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            asks = pod(manifest)["containers"][0][probe]["httpGet"]
            headers = {one["name"]: one["value"] for one in asks["httpHeaders"]}
            until = time.monotonic() + 30
            while asked(url, asks["path"], **headers)[0] != 200:
                assert time.monotonic() < until, probe
                time.sleep(0.05)
        assert asked(url, "/livez", Host="10.0.0.9:8787")[0] == 421
        assert asked(url, "/stats", Host="headroom:8787")[0] == 401
        assert asked(url, "/stats", Host="headroom:8787", **{"x-headroom-token": TOKEN})[0] == 200
        check = container()["HEALTHCHECK"].partition("CMD ")[2].replace("8787", url.rpartition(":")[2])
        words = json.loads(check)
        assert subprocess.run([sys.executable, *words[1:]], timeout=30).returncode == 0
        assert subprocess.run([sys.executable, words[1], words[2].replace("livez", "nowhere")]).returncode != 0
        assert os.stat(home / "store").st_uid == USER
        proxy.process.send_signal(signal.SIGTERM)
        until = time.monotonic() + 1.5
        while (found := asked(url, "/readyz", Host="localhost"))[0] != 503:
            assert time.monotonic() < until
            time.sleep(0.02)
        assert json.loads(found[1]) == {"v": 1, "ready": False, "degraded": False}
        assert asked(url, "/livez", Host="localhost")[0] == 200
        assert proxy.process.wait(40) == 0
