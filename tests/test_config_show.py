"""``headroom config``: where each setting comes from, and what is wrong with those that cannot be used."""

import json

import pytest

from headroom_cli import origins, settings


@pytest.fixture
def config(headroom, tmp_path):
    """Write config.toml and run the verb: config("show", toml="level = 'max'") -> (settings, process)."""

    def run(*words, toml=None, **env):
        folder = tmp_path / ".config/headroom"
        folder.mkdir(parents=True, exist_ok=True)
        if toml is not None:
            (folder / "config.toml").write_text(toml)
        done = headroom("config", "show", "--json", *words, env=env)
        return json.loads(done.stdout), done

    return run


def test_every_setting_is_there_with_where_it_comes_from(config):
    shown, done = config("--level", "max", toml="budget = 900\nmodel = 'gpt-4o'\nonly = ['log', 'json']\n",
                         HEADROOM_MODEL="claude-opus-4-8", HEADROOM_QUIET="1")  # fmt: skip
    assert (done.returncode, done.stderr, shown["unknown"], shown["troubles"]) == (0, b"", [], [])
    rows = shown["settings"]
    assert len(rows) == len(settings.TABLE)
    assert (rows["level"]["value"], rows["level"]["from"]) == ("max", "flag")
    assert (rows["model"]["value"], rows["model"]["from"]) == ("claude-opus-4-8", "variable")
    assert (rows["budget"]["value"], rows["budget"]["from"]) == (900, "file")
    assert rows["only"]["value"] == ["json", "log"]
    assert (rows["strict"]["value"], rows["strict"]["from"], rows["strict"]["variable"]) == (
        False, "default", "HEADROOM_STRICT",
    )  # fmt: skip
    assert rows["store"]["from"] == "default"


def test_it_says_of_every_setting_what_a_run_would_take(tmp_path):
    environment = {"HOME": str(tmp_path), "HEADROOM_LEVEL": "max", "HEADROOM_OUTPUT_HOLDOUT": "0.25", "NO_COLOR": "1"}
    given = {"only": "log", "lossless": "true", "store": "kept"}
    found = origins.find(given, environment)
    resolved = settings.resolve(given, environment)
    for row in settings.TABLE:
        assert getattr(found.settings, row.name) == getattr(resolved, row.name)
    assert {origin.row.name: origin.value for origin in found.rows} == {
        row.name: getattr(resolved, row.name) for row in settings.TABLE
    }


def test_a_table_for_people(headroom):
    lines = headroom("config", "show", "--level", "max", env={"NO_COLOR": "1"}).stdout.decode().splitlines()
    rows = {line.split()[0]: line for line in lines}
    assert rows["setting"].split() == ["setting", "value", "from"]
    assert rows["level"].split() == ["level", "max", "--level"]
    assert rows["no-color"].split() == ["no-color", "true", "NO_COLOR"]
    assert rows["timeout"].split() == ["timeout", "600", "default"]


def test_a_mistyped_variable_is_named_with_what_may_be_meant(config):
    shown, done = config(HEADROOM_LEVLE="max", HEADROOM_ZZZZ="1")
    assert done.returncode == 0
    assert shown["unknown"] == ["HEADROOM_LEVLE", "HEADROOM_ZZZZ"]
    assert done.stderr.decode().splitlines() == [
        "headroom: the variable HEADROOM_LEVLE is no setting; is HEADROOM_LEVEL meant?",
        "headroom: the variable HEADROOM_ZZZZ is no setting; nothing reads it",
    ]


def test_a_mistyped_key_of_the_file_is_too_and_other_commands_refuse_the_file(config, headroom):
    shown, done = config(toml="levle = 'max'\nmodel = 'gpt-4o'\n")
    assert done.returncode == 78
    assert shown["settings"]["model"]["value"] == "gpt-4o"
    assert done.stderr.decode().endswith("config.toml: levle is no setting; is level meant?\n")
    assert headroom("crush", stdin=b"").returncode == 78


def test_a_value_that_cannot_be_used_is_named_and_the_others_are_shown(config):
    shown, done = config(toml="budget = -4\nlevel = 'max'\n", HEADROOM_STRICT="perhaps")
    assert done.returncode == 78
    assert done.stderr.count(b"\n") == 2
    assert b"HEADROOM_STRICT: 'perhaps' is neither yes nor no" in done.stderr
    assert shown["settings"]["level"]["value"] == "max"
    assert (shown["settings"]["budget"]["value"], shown["settings"]["budget"]["from"]) == (None, "file")
    assert "'-4' is not a whole number" in shown["settings"]["budget"]["trouble"]


@pytest.mark.parametrize("toml", ["level = ", "\x00", "[level]\n]"])
def test_a_file_that_is_no_toml_is_named_and_the_variables_still_count(config, toml):
    shown, done = config(toml=toml, HEADROOM_LEVEL="safe")
    assert done.returncode == 78
    assert done.stderr.startswith(b"headroom: ")
    assert done.stderr.endswith(b"; write it as TOML\n")
    assert shown["settings"]["level"]["value"] == "safe"
    assert len(shown["troubles"]) == 1


def test_who_calls_is_not_shown(config, headroom):
    address = "https://someone:hunter2@example.com/v1"
    shown, _ = config(HEADROOM_BASE_URL=address, HEADROOM_STORE="redis://:hunter2@example.com/0")
    assert shown["settings"]["base-url"]["value"] == "https://***@example.com/v1"
    assert "hunter2" not in json.dumps(shown)
    shown = headroom("config", "show", env={"HEADROOM_BASE_URL": address + "?api-key=hunter2&v=1"}).stdout
    assert b"https://***@example.com/v1?api-key=***&v=***" in shown


def test_path_names_the_file_whether_it_is_there_or_not(headroom, tmp_path):
    path = tmp_path / ".config/headroom/config.toml"
    assert headroom("config", "path").stdout == f"{path}\n".encode()
    assert json.loads(headroom("config", "path", "--json").stdout) == {"v": 1, "file": str(path), "exists": False}
    path.parent.mkdir(parents=True)
    path.write_text("")
    assert json.loads(headroom("config", "path", "--json").stdout)["exists"] is True
    assert headroom("config", "path", env={"XDG_CONFIG_HOME": "/etc"}).stdout == b"/etc/headroom/config.toml\n"


def test_usage(headroom):
    assert headroom("config").returncode == 2
    done = headroom("config", "list")
    assert (done.returncode, done.stderr) == (2, b"headroom: unknown action 'list'; use show, path\n")


def test_a_user_without_a_home_is_told_so(monkeypatch):
    def nobody(_number):
        raise KeyError

    monkeypatch.setattr("pwd.getpwuid", nobody)
    found = origins.find({}, {"HEADROOM_LEVEL": "max"})
    assert found.settings.level == "max"
    assert found.settings.store == ""
    assert [trouble.partition(";")[0] for trouble in found.wrong] == ["this user has no home folder"] * 2
