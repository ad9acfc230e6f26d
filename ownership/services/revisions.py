"""Writing revisions of owners.yaml. Each is one transaction with its events."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

from django.db import IntegrityError, transaction

from common import clock
from common.errors import Conflict, CoordError, ErrorCode, Invalid
from ownership import documents, selectors
from ownership.documents import InvalidDocument
from ownership.models import Revision
from webhooks.services import record
from webhooks.types import EventType, NewEvent

MOST_TRIES = 10

Edit = Callable[[str], tuple[str, Sequence[NewEvent]]]
"""From the text in force to the new text and the events that tell of it; each gets the ``revision`` made."""


def save_document(
    *, text: str, author: str, reason: str = "", if_match: Collection[str] | None = None
) -> Revision:
    """Put ``text`` in force, verbatim. Emits ``ownership_edited``; a text that is in force already, nothing.

    ``if_match`` are entity tags (or ``*``), one of which must be the current revision's. Raises
    :class:`Invalid`, 413 for a text over 1 MiB, 412 when ``if_match`` does not match.
    """
    return _save(text, author, reason, "upload", if_match)


def restore_revision(*, revision_id: int, author: str, reason: str) -> Revision:
    """Put an old revision's text in force again, as a new revision. Emits ``ownership_edited``.

    Raises ``NotFound``, and :class:`Invalid` without a reason or for a text that is no longer valid.
    """
    old = selectors.revision(revision_id)
    if not reason.strip():
        raise Invalid("`reason` must say why the revision is restored", next="Give a reason.")
    return _save(old.text, author, reason, "restore", None, restored=old.pk)


def edit_document(edit: Edit, *, author: str, reason: str) -> tuple[str, bool]:
    """Apply a machine edit to the text in force, again when somebody else was faster.

    The edit is computed outside the transaction. Returns the text in force afterwards and whether it was
    changed; an edit that changes nothing writes nothing. Raises :class:`Invalid` for a document
    that cannot be edited.
    """
    for _ in range(MOST_TRIES):
        seen = selectors.current_revision()
        before = seen.text if seen else ""
        try:
            after, events = edit(before)
            if after == before:
                return before, False
            count = documents.parse(after).count
        except InvalidDocument as error:
            raise Invalid(str(error), next="Correct the document with POST /config/ownership.") from error
        if _write(seen, after, count, author, reason, events) is not None:
            return after, True
    raise _busy()


def edited(action: str, author: str, reason: str, **detail: Any) -> NewEvent:
    """The event of an edit of the document."""
    return NewEvent(
        EventType.OWNERSHIP_EDITED,
        "",
        operator=author,
        detail={"action": action, "reason": reason, **detail},
    )


def _save(
    text: str,
    author: str,
    reason: str,
    action: str,
    if_match: Collection[str] | None,
    **detail: Any,
) -> Revision:
    count = _valid(text)
    for _ in range(MOST_TRIES):
        seen = selectors.current_revision()
        if if_match is not None and not _matches(seen, if_match):
            raise _changed(seen)
        if seen is not None and seen.text == text:
            return seen
        written = _write(seen, text, count, author, reason, [edited(action, author, reason, **detail)])
        if written is not None:
            return written
    raise _busy()


def _valid(text: str) -> int:
    """The number of path rules. Raises :class:`Invalid` or 413."""
    if len(text.encode("utf-8", "surrogatepass")) > documents.MAX_BYTES:
        raise too_large()
    try:
        return documents.parse(text).count
    except InvalidDocument as error:
        raise Invalid(str(error), next="Correct the document and send it again.") from error


def _write(
    seen: Revision | None, text: str, count: int, author: str, reason: str, events: Sequence[NewEvent]
) -> Revision | None:
    """Insert the successor of ``seen`` and record the events; ``None`` when it has a successor already."""
    try:
        with transaction.atomic():
            revision = Revision.objects.create(
                replaces=seen.pk if seen else 0,
                text=text,
                digest=sha256(text.encode()).hexdigest(),
                rules=count,
                author=author[:255],
                reason=reason[:1000],
                created_at=clock.now(),
            )
            record(*(replace(one, detail={**one.detail, "revision": revision.pk}) for one in events))
            return revision
    except IntegrityError:
        return None


def too_large() -> CoordError:
    """413: the document is over the limit."""
    return CoordError(
        f"The document is larger than {documents.MAX_BYTES} bytes",
        status=413,
        code=ErrorCode.TOO_LARGE,
        next="Send a smaller document.",
    )


def _matches(seen: Revision | None, tags: Collection[str]) -> bool:
    return seen is not None and ("*" in tags or seen.etag in tags)


def _changed(seen: Revision | None) -> CoordError:
    current = f"its entity tag is {seen.etag}" if seen else "there is no document"
    return CoordError(
        f"The document in force is not the one that If-Match names: {current}",
        status=412,
        code=ErrorCode.PRECONDITION_FAILED,
        next="Read GET /config/ownership again, apply your change to it, and send it with the new ETag.",
    )


def _busy() -> CoordError:
    return Conflict("The document is being edited by others all the time", retryable=True, retry_after_s=1)
