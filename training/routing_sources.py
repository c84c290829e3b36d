# ruff: noqa: E501 - tables of names and commands
"""Fetch sources that no weight was trained on, and run tools in them: the raw material of an independent judge.

python training/routing_sources.py FOLDER        (Debian, apt with network, npm, git, gcc; 20 minutes on two cores)

FOLDER gets apt/ src/ npm/ (archives), tree/ (one folder per source, unpacked) and runs.jsonl: {source, kinds, command,
text} for each command of JOBS. What is there already is not fetched again. Every tool that is missing is skipped: the
set says what is in it, not what should be.
"""

import concurrent.futures
import glob
import itertools
import json
import os
import random
import shutil
import subprocess
import sys
import zlib

# Sources that the classifier may learn from, and those that judge it: no source is in both.
LEARN = ["cloc", "coreutils", "cppcheck", "elixir-lang", "gnuplot", "golang-github-spf13-cobra", "groovy", "libmojolicious-perl", "libwww-perl", "logcheck", "lua5.4", "nginx", "nim", "ocaml-dune", "php-twig", "redis", "rsyslog", "ruby-nokogiri", "rust-bat", "rust-fd-find", "tidy-html5", "tmux", "dash", "sed", "zsh", "nano", "screen", "stunnel4", "lighttpd", "squid", "postfix", "openssh", "bind9", "chrony", "util-linux", "parted", "nmap", "wget", "aria2", "graphviz", "groff", "php-parser", "sqlite3", "r-base", "golang-logrus", "caddy"]  # fmt: skip
JUDGE = ["neovim", "swi-prolog", "pgbadger", "gawk", "findutils", "diffutils", "less", "fish", "htop", "mosh", "haproxy", "apache2", "dovecot", "exim4", "samba", "unbound", "dnsmasq", "ntpsec", "systemd", "e2fsprogs", "lvm2", "smartmontools", "tcpdump", "curl", "rsync", "rclone", "pandoc", "texinfo", "perltidy", "composer", "phpunit", "leveldb", "lmdb", "erlang", "golang-github-gorilla-mux", "golang-toml", "hugo"]  # fmt: skip
DEBIAN = LEARN + JUDGE
PYPI = ["click==8.5.1", "beautifulsoup4==4.15.0", "pygments==2.21.0", "docutils==0.23", "agate==1.14.2", "csvkit==2.2.0", "seaborn==0.13.2", "visidata==3.4", "tap.py==3.2.1", "mkdocs==1.6.1", "loguru==0.7.3", "textfsm==2.1.0", "pylint==4.1.4", "flake8==7.5.0", "bandit==1.9.4", "coverage==7.17.3", "tablib==3.10.0", "netmiko==4.8.0"]  # fmt: skip
TOOLS = ["ripgrep", "fd-find", "tree", "silversearcher-ag", "ack", "sqlite3"]  # fmt: skip
NPM = ["rxjs@7.8.0", "rxjs@7.8.1", "zod@3.22.4", "zod@3.23.8", "date-fns@2.30.0", "ajv@8.12.0", "ajv@8.17.1", "chalk@5.2.0", "chalk@5.3.0", "axios@1.6.0", "axios@1.7.0", "commander@11.0.0", "commander@12.0.0", "preact@10.19.0", "preact@10.20.0", "three@0.150.0", "d3-scale@4.0.2", "bootstrap@5.3.0", "bootstrap@5.3.3", "mime-db@1.52.0", "world-countries@5.0.0", "iso-639-1@3.1.0", "vega-datasets@2.7.0", "swagger-ui-dist@5.10.0", "caniuse-db@1.0.30001600", "mocha@10.2.0", "jest@29.7.0", "tape@5.7.0", "@octokit/fixtures@22.0.2", "stylelint@15.0.0", "semver@7.5.0", "semver@7.6.0", "uuid@9.0.0", "yargs@17.7.0", "yargs@17.7.2", "marked@9.0.0", "marked@12.0.0"]  # fmt: skip
_REPOSITORY = "deb http://deb.debian.org/debian bookworm main\ndeb-src http://deb.debian.org/debian bookworm main\n"
_SECONDS = 25
_LONGEST = 400_000


def part(source: str) -> str:
    """Return whether a source is to learn from or to judge by; the versions of one package go together."""
    if source in LEARN or source.startswith("npm-"):
        return "learn"
    if source in JUDGE:
        return "judge"
    return "judge" if zlib.crc32(source.partition(" ")[2].encode() or source.encode()) % 2 else "learn"


def run(command: str, folder: str, seconds: int = _SECONDS) -> str:
    """Return what a command prints, "" when it cannot run. It is stopped after ``seconds``."""
    tools = os.path.abspath(os.path.join(FOLDER, "tools/usr/bin"))
    world = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "OMP_NUM_THREADS": "1", "LC_ALL": "C.UTF-8",
             "PYTHONPATH": "src:.", "NO_COLOR": "1", "CI": "1"}  # fmt: skip
    try:
        done = subprocess.run(
            ["timeout", str(seconds), "nice", "-n", "10", "bash", "-c", command], cwd=folder, env=world, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except OSError:
        return ""
    text = done.stdout[:_LONGEST].decode("utf-8", "replace")
    if "command not found" in text[:200] or "No such file or directory" in text[:120]:
        return ""
    return text


def fetch() -> None:
    """Fetch the archives and unpack each into tree/NAME."""
    for name in ("apt/lists/partial", "apt/cache/archives/partial", "src", "npm", "pypi", "deb", "tree", "tools"):
        os.makedirs(os.path.join(FOLDER, name), exist_ok=True)
    here = os.path.abspath(FOLDER)
    with open(f"{here}/apt/sources.list", "w", encoding="utf-8") as stream:
        stream.write(_REPOSITORY)
    apt = (
        f"apt-get -qq -o Dir::Etc::sourcelist={here}/apt/sources.list -o Dir::Etc::sourceparts=/nonexistent "
        f"-o Dir::State::lists={here}/apt/lists -o Dir::Cache={here}/apt/cache -o APT::Sandbox::User=root"
    )
    if not glob.glob(f"{here}/src/*.dsc"):
        run(f"{apt} update", here, 300)
        for name in DEBIAN:
            run(f"{apt} source --download-only {name}", f"{here}/src", 120)
    if not glob.glob(f"{here}/deb/*.deb"):
        run(f"{apt} download {' '.join(TOOLS)}", f"{here}/deb", 120)
    for package in glob.glob(f"{here}/deb/*.deb"):
        run(f"dpkg -x {package} {here}/tools", here)
    for name in NPM:
        archive = name.removeprefix("@").replace("/", "-")
        archive = archive.replace("@", "-") + ".tgz"
        if not os.path.exists(f"{here}/npm/{archive}"):
            run(f"npm pack --silent {name}", f"{here}/npm", 120)
    for archive in sorted(glob.glob(f"{here}/src/*.tar.*")):
        source = os.path.basename(archive).partition("_")[0]
        if archive.endswith(".asc") or source not in DEBIAN:
            continue
        target = f"{here}/tree/{source}/" + ("debian" if ".debian.tar" in archive else "")
        if not os.path.isdir(target):
            os.makedirs(target)
            run(f"tar xf {archive} --strip-components=1 -C {target}", here)
    for name in PYPI:
        if not glob.glob(f"{here}/pypi/{name.partition('=')[0]}*"):
            run(f"python3 -m pip download -q --no-deps --no-binary :all: {name}", f"{here}/pypi", 120)
    for archive in sorted(glob.glob(f"{here}/pypi/*.tar.gz")):
        target = f"{here}/tree/pypi-{os.path.basename(archive).rpartition('-')[0]}"
        if not os.path.isdir(target):
            os.makedirs(target)
            run(f"tar xf {archive} --strip-components=1 -C {target}", here)
    for archive in sorted(glob.glob(f"{here}/npm/*.tgz")):
        target = f"{here}/tree/npm-{os.path.basename(archive)[:-4]}"
        if not os.path.isdir(target):
            os.makedirs(target)
            run(f"tar xf {archive} --strip-components=1 -C {target}", here)


def general(folder: str, rng: random.Random) -> list[tuple[str, str, str]]:
    """Return (kinds, command, folder) that print something in any tree of files."""
    files = [
        os.path.relpath(os.path.join(at, name), folder)
        for at, _, names in os.walk(folder) for name in names
        if name.endswith((".py", ".c", ".h", ".js", ".ts", ".rs", ".rb", ".pl", ".pm", ".go", ".php", ".lua", ".cpp", ".ex",
                          ".el", ".kt", ".cr", ".nim", ".ml", ".vim", ".sh", ".md", ".txt", ".cc", ".java", ".groovy"))
    ]  # fmt: skip
    if not files:
        return []
    files.sort()
    words = []
    for name in rng.sample(files, min(6, len(files))):
        with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as stream:
            found = [word for word in stream.read(20_000).replace("(", " ").split() if word.isalpha() and len(word) > 3]
        words += rng.sample(found, min(3, len(found)))
    if len(words) < 6:
        return []
    one, parent = rng.choice(files), os.path.dirname(rng.choice(files)) or "."
    patterns = [f"grep -rn '{{}}' {parent}", f"grep -n '{{}}' {one}", "rg -n {}", "rg --heading -n {} | head -80",
                "ag {}", "grep -rnC1 {} . | head -60", "git grep -n {} | head -40",
                f"grep -rn --include='*{os.path.splitext(one)[1]}' {{}} . | head -25", f"grep -nA3 {{}} {one}",
                "rg {} -g '!*.md' | head -50"]  # fmt: skip
    jobs = [("search", rng.choice(patterns).format(word), folder) for word in words[:9]]
    listings = ["ls -la", f"ls -lR {parent} | head -150", "find . -type f | head -200", "tree -L 2", f"du -ak {parent}",
                "rg --files | head -100", "git ls-files", f"ls -R {parent}", f"find {parent} -name '*.*' -newer /etc/hostname",
                f"grep -rl {words[0]} .", f"tree {parent} | head -120", "git status", "fdfind . | head -90", "ls -1",
                f"find {parent} -maxdepth 2 -ls | head -60", "git show --stat HEAD | tail -40", "du -sh *"]  # fmt: skip
    jobs += [("listing", command, folder) for command in rng.sample(listings, 6)]
    jobs += [("table listing", "wc -l $(git ls-files | head -30)", folder)]
    tables = ["git blame {0} | head -60", "sha256sum $(git ls-files | head -25)", "git log --oneline"]
    jobs += [("table", rng.choice(tables).format(one), folder)]
    code = [name for name in files if name.endswith(".py")]
    if code:
        some = " ".join(rng.sample(code, min(12, len(code))))
        checks = [f"ruff check --isolated --select ALL {some} | tail -120",
                  f"ruff check --isolated --select E,F,W,B --output-format concise {some} | head -150",
                  f"mypy --no-error-summary --follow-imports skip {some} | head -100", f"python3 -m compileall {parent}",
                  f"ruff check --isolated --select F,UP --output-format grouped {some}", f"python3 -v {rng.choice(code)} 2>&1 | tail -90",
                  f"python3 {rng.choice(code)}", f"python3 -m pyflakes {some}"]  # fmt: skip
        jobs += [("log", command, folder) for command in rng.sample(checks, 4)]
        jobs += [("test-log log", rng.choice(PYTESTS), folder), ("test-log log", rng.choice(UNITTESTS), folder)]
    code = [name for name in files if name.endswith((".c", ".cpp", ".cc"))]
    for name in rng.sample(code, min(5, len(code))):
        jobs.append(("log", f"gcc -Wall -Wextra -I. -Isrc -Iinclude -fsyntax-only {name}", folder))
    code = [name for name in files if name.endswith((".js", ".pl", ".pm", ".java", ".sh", ".rs"))]
    for name in rng.sample(code, min(2, len(code))):
        tool = {".js": "node", ".pl": "perl -wc", ".pm": "perl -wc", ".java": "javac -d /tmp -Xlint:all", ".sh": "bash -x -n",
                ".rs": "rustc --edition 2021 --crate-type lib --emit metadata --out-dir /tmp"}  # fmt: skip
        jobs.append(("log", f"{tool[os.path.splitext(name)[1]]} {name}", folder))
    return jobs


PYTESTS = ("pytest -q", "pytest -v --tb=short", "pytest -x", "python3 -m pytest -rA --tb=line", "pytest -q -n 2", "pytest --co -q",
           "pytest -v --no-header")  # fmt: skip
UNITTESTS = ("python3 -m unittest discover -v", "python3 -m unittest discover", "python3 -m unittest discover -f -s tests",
             "python3 -m doctest -v README.md README.rst")  # fmt: skip
# What only one tree can do; SOURCE: (kinds, command)
SPECIAL = {
    "libmojolicious-perl": [("test-log", f"prove -l {flags} t/{part}") for flags in ("-v", "", "-r", "--timer")
                            for part in ("mojo/*.t", "mojolicious/*.t", "test/*.t")],
    "libwww-perl": [("test-log", "prove -l -v t/base"), ("test-log", "prove -lr t")],
    "bats": [("test-log", "./bin/bats test"), ("test-log", "./bin/bats --tap test/suite.bats test/trace.bats"),
             ("test-log", "./bin/bats -p test/load.bats")],
    "lua5.4": [("log", "make -C src linux MYCFLAGS='-Wall -Wextra -Wconversion' 2>&1 | head -300"), ("log", "make -B linux")],
    "tmux": [("log", "./configure"), ("log", "sh autogen.sh")],
    "w3m": [("log", "./configure 2>&1 | head -200")],
    "elinks": [("log", "./configure")],
    "gnuplot": [("log", "./configure | tail -100")],
    "rsyslog": [("log", "./configure --disable-dependency-tracking | head -250")],
    "goaccess": [("log", "./configure 2>&1"), ("log", "autoreconf -fi 2>&1 | tail -60")],
    "nginx": [("log", "./configure --without-pcre --without-http_rewrite_module"), ("log", "make -j2 2>&1 | tail -80")],
    "coreutils": [("log", "./configure FORCE_UNSAFE_CONFIGURE=1 | head -400")],
    "redis": [("log", "make -C src redis-cli V=1 2>&1 | head -150"), ("log", "make -C deps lua")],
    "cppcheck": [("log", "cmake -B /tmp/rt-cppcheck ."), ("log", "cmake -B /tmp/rt-cppcheck2 . --trace 2>&1 | head -120")],
    "tidy-html5": [("log", "cmake -S . -B /tmp/rt-tidy && make -C /tmp/rt-tidy -j2"), ("test-log log", "cd /tmp/rt-tidy && ctest")],
    "astyle": [("log", "make -C build/gcc 2>&1 | head -100")],
    "python-docutils": [("test-log", "python3 test/alltests.py 2>&1 | tail -200"), ("log", "python3 tools/rst2html.py FAQ.txt --verbose | head -50")],
    "scons": [("log", "python3 SConstruct"), ("log", "python3 scripts/scons.py --tree=all | head -100")],
}  # fmt: skip
_STDLIB = ["test_textwrap", "test_heapq", "test_bisect", "test_json", "test_shlex", "test_csv", "test_string", "test_fnmatch", "test_base64", "test_colorsys", "test_copy", "test_calendar", "test_cmd", "test_difflib", "test_glob", "test_html", "test_ipaddress", "test_operator"]  # fmt: skip
# Programs that keep a log while they work
SERVICES = (
    "python3 -m http.server -d /usr/share/doc 8765 & sleep 1; for i in bash git nothing tar 'a b' sed; do curl -s -o /dev/null http://127.0.0.1:8765/$i/; done; kill %1",
    "java -Xlog:gc*,class+load:stdout -version | head -120",
    "java -verbose:class -version | tail -60",
    "java -Xlog:all=info -version | head -200",
    "node --trace-gc -e 'let a=[];for(let i=0;i<3e6;i++)a.push({i});'",
    "python3 -m pip download -vvv --no-deps -d /tmp/rt-pip attrs | head -80",
    'NODE_DEBUG=module,http node -e \'require("http").get("http://127.0.0.1:9").on("error",()=>0)\' | head -60',
    "ssh -vvv -o ConnectTimeout=1 127.0.0.1 true",
    "GIT_TRACE=1 GIT_CURL_VERBOSE=1 git ls-remote http://127.0.0.1:9/x",
    "git -c core.progress=1 gc --no-quiet; GIT_TRACE_PERFORMANCE=1 git status",
    'python3 -c \'import logging,asyncio; logging.basicConfig(level=10, format="%(asctime)s %(name)s %(levelname)s %(message)s"); asyncio.run(asyncio.sleep(0), debug=True); [logging.getLogger(f"app.{n}").log(10*(i%5+1), "job %d took %d ms", i, i*7) for i, n in enumerate(["db","web","queue"]*9)]\'',
    "strace -tt -e trace=file ls / 2>&1 | head -50",
    "ltrace ls 2>&1 | head -40",
    "LD_DEBUG=libs ls / 2>&1 | head -80",
    "LD_DEBUG=bindings true 2>&1 | head -40",
    "apt-get -o Debug::pkgProblemResolver=1 -s install gnome | head -60",
    "dpkg --audit; dpkg -D2 --no-act -i /nonexistent.deb",
    "cmake --debug-output -P /dev/null",
    "bash -x /etc/profile 2>&1 | head -40",
    "gcc -v -E - < /dev/null",
    "ld --trace /usr/lib/x86_64-linux-gnu/crt1.o",
    "npm install --prefix /tmp/rt-npm2 left-pad --loglevel silly | head -90",
    "cargo init /tmp/rt-cargo3 --vcs none; cd /tmp/rt-cargo3; printf 'fn main() { let x: u8 = \"a\"; y(); }' > src/main.rs; cargo build; cargo check",
    "pg_lsclusters; tail -n 60 /var/log/postgresql/*.log",
    "zcat /var/log/dpkg.log.1.gz /var/log/dpkg.log.2.gz | head -80",
    "cat /var/log/apt/term.log | tail -90",
    "mypy -v --no-incremental -c 'import os' 2>&1 | head -60",
    "ruff check -v --isolated /usr/lib/python3/dist-packages 2>&1 | head -50",
    "openssl s_client -connect 127.0.0.1:9",
    "wget -d -O /dev/null http://127.0.0.1:9/",
    "printf 'class A { int f() { return \"x\"; } void g() { h(); } }' > /tmp/A.java; javac -verbose /tmp/A.java 2>&1 | tail -40",
    "printf 'int f(int a){return b;}\nint main(){f();char*p=1;}' > /tmp/a.c; gcc -Wall -Wextra -c /tmp/a.c; g++ -c /tmp/a.c",
)
MACHINE = [  # what describes this machine, and what its package tools print
    *(("table", command) for command in (
        "ps aux", "ps -ef", "ps -eo pid,ppid,rss,comm | head -40", "df -h", "df -k", "mount", "free -m", "lsblk", "lscpu", "cat /proc/meminfo",
        "cat /proc/mounts", "cat /proc/cpuinfo | head -30", "cat /proc/interrupts | head -30", "cat /proc/modules | head -30", "pip list",
        "pip list --outdated --format columns | head -30", "dpkg -l | head -60", "dpkg -l 'lib*' | tail -40", "apt list --installed | head -80",
        "ip addr", "ip route", "ss -tln", "getent passwd", "getent services | head -60", "env | sort | head -40", "cat /proc/net/dev", "vmstat 1 2",
        "cat /proc/net/tcp | head", "uptime; w", "cat /etc/group", "cat /etc/fstab /etc/services | head -80", "sysctl -a | head -100", "locale",
        "ulimit -a", "stat /etc/passwd /etc/group", "id; groups", "top -b -n 1 | head -40", "lsof -p 1 | head -30", "ldconfig -p | head -60",
        "fc-list | head -40", "cat /proc/self/status", "cat /proc/diskstats", "cat /proc/slabinfo | head -40", "npm ls -g --depth 0",
        "apt-cache policy bash coreutils", "dpkg-query -W | head -100", "sqlite3 --version; git --version", "cat /proc/vmstat | head -80",
        "getconf -a | head -80", "ls -l /proc/self/fd | head; cat /proc/self/limits", "iconv -l | column | head -30", "readelf -s /bin/true | head -80",
        "readelf -S /bin/ls", "objdump -h /bin/ls", "nm -D /bin/ls | head -60", "ldd /usr/bin/git", "apt-cache stats", "netstat -rn", "cat /proc/stat")),
    *(("log", command) for command in (
        "cat /var/log/dpkg.log", "tail -n 80 /var/log/dpkg.log", "cat /var/log/alternatives.log", "cat /var/log/fontconfig.log", "cat /var/log/apt/term.log",
        "cat /var/log/apt/history.log", "cat /var/log/postgresql/*.log", "apt-get -s install nginx", "apt-get -s install emacs", "apt-get -s remove git",
        "apt-get -s upgrade", "pip download --no-deps -d /tmp/rt-pip requests flask -v", "pip install --dry-run --ignore-installed django celery",
        "pip install --dry-run nosuchpackage-xyz", "npm install --prefix /tmp/rt-npm --dry-run express --loglevel verbose", "cargo new /tmp/rt-cargo --vcs none; cd /tmp/rt-cargo && cargo build -v",
        "npm install --prefix /tmp/rt-npm tape ava mocha jest vitest --no-audit", "strace -f -e trace=openat true", "git clone --progress /nowhere/none /tmp/x",
        "journalctl -n 50 --no-pager", "dmesg | tail -60", "rsync -av /etc/apt/ /tmp/rt-rsync/", "tar cvzf /tmp/rt.tgz /usr/share/doc/git",
        "curl -v http://127.0.0.1:9/", "ping -c 2 127.0.0.1", "mvn -v; mvn -o package", *SERVICES,
        "python3 -X importtime -c 'import json, email.message' 2>&1", "python3 -c 'import nosuch'", "node -e 'require(\"./nosuch\")'", "java -version; java NoSuch")),
    *(("test-log", f"python3 -m unittest {flags} test.{name}") for name in _STDLIB for flags in ("-v", "") if flags or name < "test_e"),
    *(("test-log", f"python3 -m test {' '.join(_STDLIB[i:i + 3])} {flags}") for i, flags in ((0, "-v"), (3, ""), (6, "-W"), (9, "-v -f"), (12, "-j2"))),
    *(("listing", command) for command in (
        "ls -la /etc", "ls /usr/bin | head -200", "find /usr/share/doc -maxdepth 1 | head -150", "dpkg -L git", "dpkg -L coreutils | head -60", "ls -lhS /usr/lib | head -50",
        "tar tf /tmp/rt.tgz", "ls -C -w 100 /usr/sbin", "find /etc -type d", "ls -lR /etc/apt", "du -h --max-depth=1 /usr", "jar tf /usr/share/java/*.jar | head -60", "ls -d /usr/share/*/")),
    *(("json", command) for command in (
        "ip -j addr", "lsblk -J", "pip list --format json", "npm view react --json | head -200", "npm ls -g --json", "pip inspect | head -150",
        "node -p 'JSON.stringify(process.versions, null, 2)'", "node -p 'JSON.stringify(os.cpus())'", "python3 -c 'import json,os; print(json.dumps(dict(os.environ), indent=1))'",
        "npm config list --json", "ruff rule --all --output-format json | head -c 30000", "ruff check --isolated --select ALL --output-format json /usr/lib/python3/dist-packages | head -c 20000",
        "curl -s https://registry.npmjs.org/semver/latest", "curl -s https://pypi.org/pypi/attrs/json | head -c 20000", "curl -s https://pypi.org/pypi/nosuch-x/json",
        "npm audit --json --prefix /tmp/rt-npm", "npm ls --json --prefix /tmp/rt-npm", "findmnt -J", "lscpu -J")),
    *(("html", command) for command in ("curl -s https://pypi.org/simple/requests/", "curl -s https://www.debian.org/", "curl -s https://deb.debian.org/debian/", "curl -s https://docs.python.org/3/library/json.html")),
    *(("prose", f"{name} --help") for name in ("git", "tar", "grep", "curl", "npm", "pip", "gcc", "ls", "find", "sort", "rsync", "node", "cargo", "ruff", "pytest", "mypy", "sed", "make", "cmake", "xz")),
]  # fmt: skip


def jobs() -> list[tuple[str, str, str, str]]:
    """Return (source, kinds, command, folder) for every tree and for this machine."""
    found = []
    for folder in sorted(glob.glob(os.path.join(os.path.abspath(FOLDER), "tree/*"))):
        source = os.path.basename(folder)
        if not os.path.isdir(f"{folder}/.git"):
            run(
                "git init -q . && git add -A . && git -c user.name=a -c user.email=a@example.org commit -qm 'Import the release'",
                folder,
                120,
            )
        rng = random.Random(source)
        found += [(source, *job) for job in general(folder, rng)]
        found += [(source, kinds, command, folder) for kinds, command in SPECIAL.get(source, ())]
    names = sorted(glob.glob(os.path.join(os.path.abspath(FOLDER), "tree/npm-*")))
    for older, newer in itertools.pairwise(names):
        stem = older.rpartition("-")[0]
        if stem == newer.rpartition("-")[0]:
            a, b, at = os.path.basename(older), os.path.basename(newer), os.path.dirname(older)
            source = os.path.basename(stem)
            found += [
                (source, "diff", f"{command} {a} {b}{cut}", at)
                for command in (
                    "diff -ru -x .git",
                    "diff -r -x .git",
                    "git diff --no-index --",
                    "diff -rU1 -x .git",
                    "diff -rN -u -x .git",
                )
                for cut in ("", " | head -120", " | tail -60")
            ]
            found.append((source, "listing", f"diff -rq -x .git {a} {b}", at))
            found.append((source, "listing", f"git diff --no-index --stat {a} {b}", at))
    found += [("machine " + command.split()[0].strip(";"), kinds, command, "/tmp") for kinds, command in MACHINE]
    return found


def main() -> None:
    fetch()
    todo = jobs()
    with (
        open(os.path.join(FOLDER, "runs.jsonl"), "w", encoding="utf-8") as stream,
        concurrent.futures.ThreadPoolExecutor(2) as pool,
    ):
        texts = pool.map(lambda job: run(job[2], job[3]), todo)
        for (source, kinds, command, _), text in zip(todo, texts, strict=True):
            if len(text) > 40:
                row = {"source": source, "kinds": kinds.split(), "command": command, "text": text}
                stream.write(json.dumps(row) + "\n")
    shutil.rmtree("/tmp/rt-npm", ignore_errors=True)


if __name__ == "__main__":
    FOLDER = sys.argv[1]
    main()
