"""The TypeScript client: built, packed and installed as users get it, and run by node against the real proxy."""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from agents import packages
from clients import clients_python
from conftest import ROOT, clean_environment
from provider import Provider, Reply, call, text
from proxies import Running
from test_proxy_clients import running

PACKAGE = ROOT / "clients" / "typescript"
OURS = "retrieve_original_content"
TOKEN = "a-token-of-32-characters-or-more!"
MARKER = re.compile(r"<<headroom:([a-z2-7]{12,}) ")
TYPES = {
    "strict": True, "noUncheckedIndexedAccess": True, "exactOptionalPropertyTypes": True, "module": "NodeNext",
    "target": "ES2022", "types": ["node"],
}  # fmt: skip


class Made:
    """The package in ``user/node_modules``, with the SDKs beside it: what somebody has who installed it."""

    def __init__(self, place):
        self.place = place
        self.bin = Path(clients_python()).parent
        if not (self.bin / "node").exists():
            pytest.skip("no node: make clients installs it")
        modules = packages() / "node_modules"
        missing = [name for name in ("typescript", "@types/node", "openai-older") if not (modules / name).exists()]
        if missing:
            pytest.skip(f"no {', '.join(missing)} from npm: make clients installs them")
        (place / "node_modules").symlink_to(modules)
        source = place / "package"
        shutil.copytree(PACKAGE, source, ignore=shutil.ignore_patterns("node_modules", "dist", "*.tgz"))
        for project in ("tsconfig.json", "tsconfig.cjs.json"):
            self.compile("-p", project, cwd=source)
        (source / "dist" / "cjs" / "package.json").write_text('{"type":"commonjs"}\n')
        self.run("npm", "pack", "--ignore-scripts", "--offline", "--loglevel", "error", "--pack-destination", place)
        self.user = place / "user"
        with tarfile.open(next(place.glob("*.tgz"))) as archive:
            self.names = sorted(archive.getnames())
            archive.extractall(place / "packed", filter="data")
        (self.user / "node_modules").mkdir(parents=True)
        (place / "packed" / "package").rename(self.user / "node_modules" / "headroom-client")
        for path in (PACKAGE / "test").iterdir():
            shutil.copy(path, self.user)

    def compile(self, *arguments, cwd):
        self.run("node", self.place / "node_modules" / "typescript" / "bin" / "tsc", *arguments, cwd=cwd)

    def run(self, program, *arguments, cwd=None, seconds=120, **environment):
        """Run a program of node's; return what it printed, or fail with what it said."""
        home = self.place / "home"
        home.mkdir(exist_ok=True)
        more = {**clean_environment(home), "PATH": f"{self.bin}:{os.environ['PATH']}", **environment}
        more["npm_config_update_notifier"] = "false"
        command = [self.bin / program, *map(str, arguments)]
        done = subprocess.run(
            command, cwd=cwd or self.place / "package", env=more, timeout=seconds, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{command}: {done.stdout[-8000:]}{done.stderr[-4000:]}"
        return done.stdout


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return Made(tmp_path_factory.mktemp("typescript"))


def mirror(record):
    """Answer a request with itself; where its header asks for that, let the model call for an original first."""
    body = record.body.decode()
    found = MARKER.search(body)
    if record.header("x-fetch") and found and "took batch 18463" not in body:
        return Reply([call("toolu_ours", OURS, {"handle": found[1]})])
    headers = {name.lower(): value for name, value in record.headers}
    return Reply([text(json.dumps({"path": record.path, "headers": headers, "body": body}))])


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    """Yield what the programs are told in their environment of a provider, two proxies and the command."""
    place = tmp_path_factory.mktemp("servers")
    (place / "token").write_text(TOKEN)
    (place / "token").chmod(0o600)
    with Provider() as provider:
        provider.script(mirror)
        with (
            Running(place / "store", provider.url) as proxy,
            Running(place / "guarded", provider.url, "--token-file", place / "token", "--engines", "1") as guarded,
        ):
            yield {
                "TEST_PROVIDER": provider.url, "TEST_PROXY": proxy.url, "TEST_GUARDED": guarded.url,
                "TEST_TOKEN": TOKEN, "TEST_STORE": str(place / "commands"),
                "TEST_COMMAND": json.dumps([sys.executable, "-m", "headroom_cli"]),
            }  # fmt: skip


def test_the_package_holds_what_it_names_and_no_more(made):
    names = [name.removeprefix("package/") for name in made.names]
    sources = sorted(path.stem for path in (PACKAGE / "src").glob("*.ts"))
    built = [f"dist/{kind}/{stem}{end}" for kind in ("cjs", "esm") for stem in sources for end in (".d.ts", ".js")]
    assert names == sorted([*built, "LICENSE", "README.md", "dist/cjs/package.json", "package.json"])
    manifest = json.loads((PACKAGE / "package.json").read_text())
    assert not {"dependencies", "peerDependencies", "optionalDependencies"} & set(manifest)
    assert not {"install", "postinstall", "preinstall"} & set(manifest["scripts"])
    assert manifest["engines"] == {"node": ">=18"}
    wanted = json.loads((ROOT / "tests" / "typescript" / "package.json").read_text())["dependencies"]
    assert manifest["devDependencies"] == {name: wanted[name] for name in manifest["devDependencies"]}
    assert (PACKAGE / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    assert f'version = "{manifest["version"]}"' in (ROOT / "pyproject.toml").read_text()


def test_users_programs_compile_strictly_and_run_as_both_kinds_of_module(made):
    files = ["user.mts", "user.cts"]
    # The SDKs' own declarations want a browser's types; ours are checked beside nothing but node's.
    config = {"compilerOptions": {**TYPES, "skipLibCheck": True, "outDir": "out"}, "files": files}
    (made.user / "tsconfig.json").write_text(json.dumps(config))
    made.compile("-p", "tsconfig.json", cwd=made.user)
    kinds = {"moduleResolution": "NodeNext", "skipLibCheck": False, "noEmit": True, "lib": ["ES2022"]}
    ours = ["node_modules/headroom-client/dist/esm/index.d.ts", "node_modules/headroom-client/dist/cjs/index.d.ts"]
    (made.user / "ours.json").write_text(json.dumps({"compilerOptions": {**TYPES, **kinds}, "files": ours}))
    made.compile("-p", "ours.json", cwd=made.user)
    for name in ("user.mjs", "user.cjs"):
        assert made.run("node", f"out/{name}", cwd=made.user) == "ok\n"


def test_readmes_examples_compile_and_run(made, servers):
    examples = re.findall(r"^```ts\n(.*?)^```", (PACKAGE / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    assert len(examples) == 2
    for number, example in enumerate(examples):
        (made.user / f"example{number}.mts").write_text(example)
    files = [f"example{number}.mts" for number in range(len(examples))]
    config = {"compilerOptions": {**TYPES, "skipLibCheck": True, "outDir": "out"}, "files": files}
    (made.user / "examples.json").write_text(json.dumps(config))
    made.compile("-p", "examples.json", cwd=made.user)
    keys = {"HEADROOM_PROXY_URL": servers["TEST_PROXY"], "ANTHROPIC_API_KEY": "k", "OPENAI_API_KEY": "k"}
    said = [made.run("node", f"out/example{number}.mjs", cwd=made.user, **keys) for number in range(len(examples))]
    before, after = map(int, re.match(r"(\d+) -> (\d+) \n", said[0]).groups())
    assert after < before / 2
    assert "worker 0 took batch 0" in said[0]
    assert "proxy \n" in said[1]
    assert '"path": "/v1/chat/completions"' in said[1]


def test_wrapped_sdks_see_no_difference(made, tmp_path):
    play = [ROOT / "tests" / "typescript" / "play.cjs", packages(), "wrapped"]
    with running(tmp_path / "store") as pair:
        ways = f"{pair.direct.url},{pair.behind.url}#{pair.proxy.url}"
        package = str(made.user / "node_modules" / "headroom-client")
        seen = [json.loads(line) for line in made.run("node", *play, ways, TEST_PACKAGE=package).splitlines()]
        for name, direct, proxy in seen:
            pair.compare(name, "wrapped", {"direct": direct, "proxy": proxy})
    assert len(seen) >= 40


def test_it_does_what_it_says(made, servers):
    made.run("node", "--test", "compress.test.mjs", "sdks.test.mjs", cwd=made.user, **servers)
