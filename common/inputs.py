"""Serializers that read what clients send."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from rest_framework import serializers


class Input(serializers.Serializer[Any]):
    """A serializer that one instance of reads every call with: what is the same each time is done once."""

    @cached_property
    def _writable_fields(self) -> list[serializers.Field[Any, Any, Any, Any]]:
        return [field for field in self.fields.values() if not field.read_only]

    def run_validators(self, value: Any) -> None:
        """Nothing to do unless the whole has a validator."""
        if self.validators:
            super().run_validators(value)
