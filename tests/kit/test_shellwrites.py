"""What a shell command writes, read from its text: one table row per shape that agents produce."""

from __future__ import annotations

import pytest

from coordsite.kit.shellwords import plainly_reads
from coordsite.kit.shellwrites import GitAction, PatchAction, writes_of

DIRECTORIES = {"/w/lib", "/w/src", "/w"}


def read(command: str, **environ: str):
    return writes_of(command, "/w", {"HOME": "/home/alice", **environ}, DIRECTORIES.__contains__)


@pytest.mark.parametrize(
    ("command", "paths"),
    [
        ("echo hi > a.txt", ["a.txt"]),
        ("echo hi >> a.txt", ["a.txt"]),
        ("echo hi >| a.txt", ["a.txt"]),
        ("echo hi >a.txt 2>b.log", ["a.txt", "b.log"]),
        ("make &> build.log", ["build.log"]),
        ("make >& build.log", ["build.log"]),
        ("make > out 2>&1", ["out"]),
        ("ls 2>/dev/null", []),
        ("ls >&2", []),
        ("echo '>' b", []),
        ('echo "a > b"', []),
        ("echo a \\> b", []),
        ("# > a.txt", []),
        ("cat <<EOF > a.txt\n> not.txt\nEOF", ["a.txt"]),
        ("cat > a.txt <<'END'\nrm -rf src\nEND\ntouch b.txt", ["a.txt", "b.txt"]),
        ("cat <<-EOF >a.txt\n\tx\n\tEOF\necho > b.txt", ["a.txt", "b.txt"]),
        ("echo x | tee a.txt b.txt", ["a.txt", "b.txt"]),
        ("echo x | sudo tee -a a.txt >/dev/null", ["a.txt"]),
        ("sed -i 's/a/b/' a.py b.py", ["a.py", "b.py"]),
        ("sed -i.bak -e 's/a/b/' a.py", ["a.py"]),
        ("sed --in-place=.bak s/a/b/ a.py", ["a.py"]),
        ("sed -Ei s/a/b/ a.py", ["a.py"]),
        ("sed -n 1,5p a.py", []),
        ("sed -e s/i/j/ a.py", []),
        ("perl -pi -e 's/a/b/' a.py", ["a.py"]),
        ("perl -i.bak -pe 's/a/b/' a.py b.py", ["a.py", "b.py"]),
        ("mv a.py b.py", ["a.py", "b.py"]),
        ("mv -f a.py lib", ["a.py", "lib/a.py"]),
        ("mv a.py b.py lib/", ["a.py", "b.py", "lib/a.py", "lib/b.py"]),
        ("mv -t lib a.py", ["a.py", "lib/a.py"]),
        ("cp a.py b.py", ["b.py"]),
        ("cp -r a lib", ["lib/a"]),
        ("ln -s a.py b.py", ["b.py"]),
        ("rm -rf src/old", ["src/old"]),
        ("rm -- -odd", ["-odd"]),
        ("touch new.py", ["new.py"]),
        ("truncate -s 0 a.log", ["a.log"]),
        ("chmod +x run.sh", ["run.sh"]),
        ("dd if=/dev/zero of=a.bin", ["a.bin"]),
        ("find src -name '*.pyc' -delete", ["src"]),
        ("find src -name '*.py'", []),
        ("sort -o a.py b.py", ["a.py"]),
        ("sort a.py b.py | head", []),
        ("git rm a.py", ["a.py"]),
        ("git mv a.py b.py", ["a.py", "b.py"]),
        ("git -C lib rm a.py", ["lib/a.py"]),
        ("cd src && echo x > a.py", ["src/a.py"]),
        ("cd src; touch a.py; cd ..; touch b.py", ["src/a.py", "b.py"]),
        ("(cd src && touch a.py) && touch b.py", ["src/a.py", "b.py"]),
        ("bash -c 'echo x > a.py'", ["a.py"]),
        ("bash -lc 'cd src && rm a.py'", ["src/a.py"]),
        ("bash <<'EOF'\necho x > a.py\nEOF", ["a.py"]),
        ("env A=1 timeout 5 nice -n 3 rm a.py", ["a.py"]),
        ("FOO=1 rm a.py", ["a.py"]),
        ("F=a.py; echo x > $F", ["a.py"]),
        ('F=a.py; echo x > "${F}"', ["a.py"]),
        ("echo x > $UNSET", []),
        ("echo x > $(mktemp)", []),
        ("echo $(touch a.py)", ["a.py"]),
        ("echo `touch a.py`", ["a.py"]),
        ("touch a.{py,txt}", ["a.py", "a.txt"]),
        ("touch 'a b.py' c\\ d.py", ["a b.py", "c d.py"]),
        ("if true; then rm a.py; fi", ["a.py"]),
        ("for x in 1; do touch a.py; done", ["a.py"]),
        ("! rm a.py", ["a.py"]),
        ("true && rm a.py || touch b.py", ["a.py", "b.py"]),
        ("apply_patch <<'EOF'\n*** Begin Patch\n*** Update File: a.py\n@@\n*** End Patch\nEOF", ["a.py"]),
        ("patch a.py fix.diff", ["a.py"]),
        ("touch ../x/y.py", ["../x/y.py"]),
    ],
)
def test_it_names_the_files_written(command: str, paths: list[str]) -> None:
    import os.path

    assert list(read(command).paths) == [os.path.normpath(os.path.join("/w", path)) for path in paths]


def test_it_expands_the_home_directory() -> None:
    assert read("touch ~/a.py").paths == ("/home/alice/a.py",)
    assert read("touch '~/a.py'").paths == ("/w/~/a.py",)


def test_it_leaves_wildcards_to_the_file_system() -> None:
    found = read("rm src/*.py 'odd*.py'")
    assert found.globs == ("/w/src/*.py",)
    assert found.paths == ("/w/odd*.py",)


@pytest.mark.parametrize(
    ("command", "action"),
    [
        ("git checkout -- a.py", GitAction("/w", "checkout", ("--", "a.py"))),
        ("git checkout main", GitAction("/w", "checkout", ("main",))),
        ("git restore --source=HEAD~1 a.py", GitAction("/w", "restore", ("--source=HEAD~1", "a.py"))),
        ("cd src && git stash", GitAction("/w/src", "stash", ())),
        ("git -C src reset --hard", GitAction("/w/src", "reset", ("--hard",))),
    ],
)
def test_it_leaves_git_to_git(command: str, action: GitAction) -> None:
    assert read(command).git == (action,)


@pytest.mark.parametrize(
    ("command", "patch"),
    [
        ("git apply fix.diff", PatchAction("/w", "/w/fix.diff", "", 1)),
        ("git apply -p2 < fix.diff", PatchAction("/w", "/w/fix.diff", "", 2)),
        ("patch -p1 < fix.diff", PatchAction("/w", "/w/fix.diff", "", 1)),
        ("patch -p1 -i fix.diff", PatchAction("/w", "/w/fix.diff", "", 1)),
        ("patch -d src -p0 <<'E'\n+++ a\nE", PatchAction("/w/src", "", "+++ a\n", 0)),
    ],
)
def test_it_finds_patches(command: str, patch: PatchAction) -> None:
    assert read(command).patches == (patch,)


@pytest.mark.parametrize("command", ["git apply --check x.diff", "git apply --stat x.diff"])
def test_it_knows_that_a_check_applies_nothing(command: str) -> None:
    assert read(command).patches == ()


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("ls -la | grep x && cat a.py", True),
        ("git status; git log -3", True),
        ("find . -name x", True),
        ("sed -n 1p a", True),
        ("ls 2>&1", True),
        ("python build.py", False),
        ("npm test", False),
        ("echo x > a", False),
        ("git commit -m x", False),
        ("cat $(python x.py)", False),
        ("echo > $UNKNOWN", False),
    ],
)
def test_it_knows_commands_that_only_read(command: str, expected: bool) -> None:
    assert read(command).read_only is expected


@pytest.mark.parametrize(
    "command", ["", "'", '"', "$(", "`", "<<EOF", "> ", "((", "a\\", "$", "${", "()" * 500]
)
def test_it_survives_broken_text(command: str) -> None:
    read(command)


def test_it_is_linear_in_long_commands() -> None:
    assert len(read("touch " + " ".join(f"f{n}" for n in range(5000))).paths) == 2000


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("ls -la | grep x && cat a.py", True),
        ("git status; git log -3", True),
        ("git commit -m x", False),
        ("git", False),
        ("ls > a", False),
        ("echo $(rm a)", False),
        ("rm a", False),
        ("ls; rm a", False),
        ("ls | xargs rm", False),
        ("ls & rm a", False),
        ("env rm a", False),
        ("cat 'a;b'", False),
        ("", False),
    ],
)
def test_it_sees_plain_reading_without_parsing(command: str, expected: bool) -> None:
    assert plainly_reads(command) is expected
    if expected:
        assert read(command).read_only
