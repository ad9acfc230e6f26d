"""``/admin/signin/…``: the ways in beside the password form."""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import authenticate, login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.views import View
from django.views.decorators.cache import never_cache

from coordsite.signin import services

log = logging.getLogger("coord.signin")
MODEL_BACKEND = "django.contrib.auth.backends.ModelBackend"
MOST_TOKEN = 1000


class Entrance(View):
    """A way in: a session and the dashboard, or the sign-in page with what was wrong."""

    @method_decorator(never_cache)
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Nothing of this is kept or told to another page."""
        response = super().dispatch(request, *args, **kwargs)
        response["Referrer-Policy"] = "no-referrer"
        return response

    def enter(self, request: HttpRequest, account: Any, backend: str | None = None) -> HttpResponse:
        """Start a session (a fresh one) and go where the person wanted to."""
        login(request, account, backend)
        wanted = request.POST.get("next", "")
        if not url_has_allowed_host_and_scheme(wanted, {request.get_host()}, request.is_secure()):
            wanted = reverse("admin:index")
        return redirect(wanted)

    def refuse(self, request: HttpRequest, why: str) -> HttpResponse:
        """Back to the sign-in page."""
        messages.error(request, why)
        return redirect("admin:login")


class TokenEntrance(Entrance):
    """``POST /admin/signin/token``."""

    def post(self, request: HttpRequest) -> HttpResponse:
        """Exchange a token for a session."""
        token = request.POST.get("token", "").strip()
        account = authenticate(request, token=token) if 0 < len(token) <= MOST_TOKEN else None
        if account is None:
            return self.refuse(
                request,
                "This token cannot sign in. It takes one of role operator or viewer that works and is not"
                " bound to repositories, or the shared token.",
            )
        return self.enter(request, account)


class LinkEntrance(Entrance):
    """``GET /admin/signin/link/{link}``."""

    def get(self, request: HttpRequest, link: str) -> HttpResponse:
        """Follow a one-time link."""
        account = services.use_link(
            link
        )  # cannot be guessed: nothing to count, and a way in while others wait
        if account is None:
            return self.refuse(request, "This link was used or has run out. coord signin prints a new one.")
        return self.enter(request, account, MODEL_BACKEND)


class ProviderEntrance(Entrance):
    """``GET /admin/signin/oidc``: off to the identity provider."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Ask the provider who this is."""
        oidc = _oidc()
        try:
            response: HttpResponse = oidc.begin(request)
            return response
        except oidc.Refused as refused:
            return self.refuse(request, str(refused))


class ProviderReturn(Entrance):
    """``GET /admin/signin/oidc/callback``: back from it."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Believe what the provider proves."""
        oidc = _oidc()
        try:
            account = oidc.finish(request)
        except oidc.Refused as refused:
            log.warning("a sign-in through the identity provider was refused: %s", refused)
            return self.refuse(request, str(refused))
        return self.enter(request, account, MODEL_BACKEND)


def _oidc() -> Any:
    """The provider's part, imported when it is configured."""
    if not settings.COORD.oidc_issuer:
        raise Http404
    from coordsite.signin import oidc

    return oidc
