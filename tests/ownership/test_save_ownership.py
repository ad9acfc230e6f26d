"""POST /config/ownership."""

from __future__ import annotations

import pytest

from ownership.models import Revision
from tests.conftest import Api
from tests.ownership.conftest import RULES, stored, told

pytestmark = pytest.mark.django_db


def upload(api, body, query="", **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    raw = body if isinstance(body, bytes) else body.encode()
    api.last = api.client.post(
        f"/config/ownership{query}", raw, "application/octet-stream", headers={**api.headers, **named}
    )
    return api.last.status_code, api.last.json()


def test_it_stores_the_document_verbatim(api, clock):
    text = '# ours\r\nmodules:\r\n  a: {paths: ["src/**" , b]}\r\nareas:\r\n  x: {paths: [c]}\r\n'
    status, body = upload(api, text, "?reason=first")
    revision = Revision.objects.get()
    assert (status, body) == (200, {"ok": True, "rules": 3, "revision": revision.pk})
    assert (revision.text, revision.rules, revision.replaces) == (text, 3, 0)
    assert (revision.author, revision.reason, revision.created_at) == ("shared-token", "first", clock.time)
    assert api.last.headers["ETag"] == revision.etag


def test_it_records_the_edit(api):
    upload(api, RULES, "?reason=first")
    assert told("ownership_edited") == [
        {"action": "upload", "reason": "first", "revision": Revision.objects.get().pk}
    ]


def test_it_writes_nothing_for_the_same_text(api):
    _, first = upload(api, RULES)
    _, second = upload(api, RULES)
    assert second == first
    assert Revision.objects.count() == len(told("ownership_edited")) == 1


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("modules: [", "Invalid YAML: "),
        ("a: 1\na: 2\n", "Invalid YAML: "),
        ("- a\n", "The document must be a mapping at the top level"),
        ("", "The document must define `modules` or `areas`"),
        ("# nothing\n", "The document must define `modules` or `areas`"),
        ("other: 1\n", "The document must define `modules` or `areas`"),
        ("modules: []\n", "`modules` must be a mapping"),
        ("areas: text\n", "`areas` must be a mapping"),
        ("modules: {}\n", "The document must define at least one path rule"),
        ("modules:\nareas:\n", "The document must define at least one path rule"),
        ("modules: {a: [x]}\n", "`modules.a` must be a mapping"),
        ("modules: {a: {}}\n", "`modules.a.paths` must be a non-empty list"),
        ("modules: {a: {paths: []}}\n", "`modules.a.paths` must be a non-empty list"),
        ("modules: {a: {paths: x}}\n", "`modules.a.paths` must be a non-empty list"),
        ("modules: {a: {paths: [' ']}}\n", "`modules.a.paths` must contain only non-blank strings"),
        ("modules: {a: {paths: [1]}}\n", "`modules.a.paths` must contain only non-blank strings"),
        ("modules: {a: {paths: [yes]}}\n", "`modules.a.paths` must contain only non-blank strings"),
        ("modules: {a: {paths: ['!x']}}\n", "`modules.a.paths`: "),
        ("modules: {a: {paths: ['{a,b}.py']}}\n", "`modules.a.paths`: "),
        ("modules: {a: {paths: [x], owners: me}}\n", "`modules.a.owners` must be a list"),
        ("modules: {a: {paths: [x], severity: high}}\n", "`modules.a.severity` must be one of: hard, soft"),
        ("modules: {a: {paths: [x], severity: null}}\n", "`modules.a.severity` must be one of: hard, soft"),
        ("modules: {a: {paths: [x]}}\nshared_files: x\n", "`shared_files` must be a list"),
        ("modules: {a: {paths: [x]}}\nshared_files: [1]\n", "`shared_files[0]` must contain only"),
        ("modules: {a: {paths: [x]}}\nshared_files: [{p: 1}]\n", "`shared_files[0].pattern` must contain"),
        ("modules: {a: {paths: [x]}}\nsuggested_splits: {}\n", "`suggested_splits` must be a list"),
        ("modules: {a: {paths: [x]}}\nsuggested_splits: [x]\n", "`suggested_splits[0]` must be a mapping"),
        ("modules: {a: {paths: [x]}}\nrepos: []\n", "`repos` must be a mapping"),
        ("modules: {a: {paths: [x]}}\nrepos: {r: 1}\n", "`repos.r` must be a mapping"),
        ("modules: {a: {paths: [x]}}\nrepos: {1: {}}\n", "`repos.1` must be named by a string"),
        ("modules: {a: {paths: [x]}}\nrepos: {R: {}, r: {}}\n", "`repos.r` is there twice"),
        ("repos: {r: {areas: {a: {paths: x}}}}\n", "`repos.r.areas.a.paths` must be a non-empty list"),
        ("a: &a [*a]\n", "Invalid YAML: the alias *a refers to what it is part of"),
        ("a: *b\n", "Invalid YAML: the alias *b has no anchor before it"),
        ("---\na: 1\n---\nb: 1\n", "Invalid YAML: the text has more than one document"),
        ("a: " + "[" * 100 + "]" * 100, "Invalid YAML: the document is nested deeper than 32 levels"),
        ("modules: !!python/object:os.system {}\n", "Invalid YAML: "),
        ('modules: {a: {paths: ["\\0"]}}\n', "`modules.a.paths`: "),
    ],
)
def test_it_refuses_a_document_and_names_the_key(api, text, detail):
    status, body = upload(api, text)
    assert status == 400
    assert body["detail"].startswith(detail)
    assert (body["code"], body["retryable"]) == ("invalid", False)
    assert "\n" not in body["detail"]
    assert (Revision.objects.count(), told("ownership_edited")) == (0, [])


def test_it_refuses_aliases_that_expand(api):
    levels = ["l0: &l0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 9)]
    status, body = upload(api, "\n".join(levels) + "\n")
    assert (status, body["detail"]) == (400, "Invalid YAML: aliases expand to more than 100000 nodes")


def test_it_refuses_too_many_rules(api):
    shared = "x: &x [" + ", ".join(f"p{n}" for n in range(1000)) + "]\n"
    blocks = "".join(f"  m{n}: {{paths: *x}}\n" for n in range(6))
    status, body = upload(api, f"{shared}modules:\n{blocks}")
    assert (status, body["detail"]) == (400, "`modules` has more than 5000 path rules")


def test_it_refuses_too_many_nodes(api):
    status, body = upload(api, "x: [" + "a," * 20_000 + "]\n")
    assert (status, body["detail"]) == (400, "Invalid YAML: the document has more than 20000 nodes")


def test_it_accepts_a_document_of_exactly_1_mib(api):
    text = RULES + "#" * (1024 * 1024 - len(RULES))
    assert upload(api, text)[0] == 200
    status, body = upload(api, text + "#")
    assert (status, body["code"]) == (413, "too_large")
    assert stored() == text


def test_it_refuses_a_huge_body_unread(api):
    status, body = upload(api, b"#" * 4 * 1024 * 1024)
    assert (status, body["code"]) == (413, "too_large")


def test_it_refuses_what_is_not_utf_8(api):
    """BUG-44."""
    status, body = upload(api, b"modules: \xff\n")
    assert (status, body["detail"]) == (400, "The document is not UTF-8: byte 9 cannot be read")


def test_it_replaces_the_revision_that_was_read(api):
    upload(api, RULES)
    etag = api.last.headers["ETag"]
    assert upload(api, RULES + "# two\n", If_Match=etag)[0] == 200
    status, body = upload(api, RULES + "# three\n", If_Match=etag)
    assert (status, body["code"]) == (412, "precondition_failed")
    assert api.last.headers.get("ETag") is None
    assert stored() == RULES + "# two\n"
    assert upload(api, RULES + "# four\n", If_Match="*")[0] == 200


@pytest.mark.parametrize("tag", ["*", '"1-x"', "garbage", ""])
def test_it_refuses_a_precondition_without_a_document(api, tag):
    status, body = upload(api, RULES, If_Match=tag)
    assert (status, body["code"]) == (412, "precondition_failed")
    assert stored() is None


def test_it_asks_for_a_token(db):
    assert upload(Api(token=None), "modules: [")[0] == 401
