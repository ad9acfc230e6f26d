"""Small operations and their URL map, for tests of the base view."""

from __future__ import annotations

import asyncio

from django.urls import path
from rest_framework import serializers
from rest_framework.response import Response

from common.api import ApiView, Parked, as_async_view, lane
from common.errors import Conflict, NotFound


class ItemInput(serializers.Serializer):
    pattern = serializers.CharField(max_length=10)


class EchoInput(serializers.Serializer):
    engineer = serializers.CharField()
    count = serializers.IntegerField(required=False, min_value=0, max_value=600)
    flag = serializers.BooleanField(required=False)
    items = ItemInput(many=True, required=False)


class EchoQuery(serializers.Serializer):
    pattern = serializers.ListField(child=serializers.CharField(), required=False)
    active_only = serializers.BooleanField(default=True)


class Echo(ApiView):
    def post(self, request):
        return Response(self.body(EchoInput))

    def get(self, request):
        return Response(self.query(EchoQuery))


class Refusing(ApiView):
    def get(self, request, kind):
        if kind == "body":
            raise Conflict("no", body={"claim_ids": [], "conflicts": []}, retry_after_s=5, next="Wait.")
        if kind == "plain":
            raise NotFound("Claim not found or not owned")
        raise ZeroDivisionError("secret")


class Who(ApiView):
    def get(self, request):
        caller = self.caller
        return Response({"kind": caller.kind, "session": caller.session_id, "operator": caller.operator})


class Parking(ApiView):
    """Waits for :attr:`bell`; says in :attr:`left` that its clean-up ran."""

    bell: asyncio.Event
    parked: asyncio.Event
    left: list[str]

    def post(self, request):
        asked = self.body(EchoInput)

        async def resume():
            try:
                type(self).parked.set()
                await type(self).bell.wait()
                return Response(await lane(dict, asked), status=200)
            finally:
                self.left.append(await lane(str, asked["engineer"]))

        return Parked(resume)


class ParkedRefusal(ApiView):
    def post(self, request):
        async def resume():
            raise Conflict("held by bob")

        return Parked(resume)


urlpatterns = [
    path("echo", Echo.as_view()),
    path("refuse/<kind>", Refusing.as_view()),
    path("who", Who.as_view()),
    path("park", as_async_view(Parking)),
    path("park/refused", as_async_view(ParkedRefusal)),
]
handler404 = "coordsite.exceptions.not_found"
handler500 = "coordsite.exceptions.server_error"
