"""Reading the ownership document and the contention log."""

from __future__ import annotations

import logging
from functools import lru_cache

import yaml

from ownership.models import Revision
from ownership.rules import NO_RULES, RuleSet, read_rules

logger = logging.getLogger("coord.ownership")

__all__ = ["RuleSet", "current_rules"]


def current_rules() -> RuleSet:
    """The rules in force: one query for the newest revision's number, parsed once per process."""
    newest = Revision.objects.order_by("-id").values_list("id", flat=True).first()
    return NO_RULES if newest is None else _rules_of(newest)


@lru_cache(maxsize=8)
def _rules_of(revision: int) -> RuleSet:
    text = Revision.objects.values_list("text", flat=True).get(id=revision)
    try:
        return read_rules(text)
    except (yaml.YAMLError, ValueError, AttributeError, TypeError) as error:
        logger.warning("revision %s of the ownership document has no rules: %s", revision, error)
        return NO_RULES
