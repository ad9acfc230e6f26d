"""The dashboard's page, its panels for a page without a websocket, and what its buttons do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.template.response import TemplateResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from claims.selectors import overview
from common import clock
from common.errors import CoordError
from coordsite.dashboard import addressing, rendering
from ownership import services as ownership

MOST_PATTERN = 1100


def page(request: HttpRequest, site: AdminSite, extra: dict[str, Any] | None = None) -> TemplateResponse:
    """The whole page, every panel drawn: it needs neither script nor websocket to be read."""
    seen = addressing.read(request.GET.dict())
    drawing = rendering.drawing(seen, rendering.permissions_of(request.user))
    context = {
        **site.each_context(request),
        "title": site.index_title,
        "subtitle": None,
        "site_page": "dashboard",
        "drawn": drawing.panels,
        "seen": seen,
        "query": addressing.write(seen),
        "now": drawing.at,
        "repositories": overview.repositories_named(),
        "engineers": drawing.engineers,
        "no_repository": addressing.NO_REPOSITORY,
        **(extra or {}),
    }
    request.current_app = site.name
    return TemplateResponse(request, site.index_template or "dashboard/page.html", context)


@never_cache
@require_GET
def panels(request: HttpRequest) -> JsonResponse:
    """All visible panels, in the websocket's words: what a page asks for while it has no websocket."""
    seen = addressing.read(request.GET.dict())
    drawing = rendering.drawing(seen, rendering.permissions_of(request.user))
    body = {one.panel.name: {"tag": one.tag, "html": one.html} for one in drawing.panels}
    return JsonResponse({"type": "panels", "at": clock.iso(drawing.at), "panels": body})


class HotspotForm(forms.Form):
    """What to do about a hotspot, and why."""

    ACTIONS = (("shared_file", "Promote"), ("split", "Suggest to split"), ("pin", "Pin"))

    pattern = forms.CharField(max_length=MOST_PATTERN, widget=forms.HiddenInput)
    repo = forms.CharField(max_length=200, required=False, widget=forms.HiddenInput)
    action = forms.ChoiceField(choices=ACTIONS, widget=forms.HiddenInput)
    reason = forms.CharField(
        max_length=1000, widget=forms.TextInput(attrs={"autocomplete": "off", "autofocus": True})
    )


@dataclass(frozen=True, slots=True)
class Words:
    """How an action is asked for, explained, and told when done or when there was nothing to do."""

    verb: str
    meaning: str
    done: str
    was: str


WORDS = {
    "shared_file": Words(
        "Promote", "Everybody may hold it at the same time.", "is shared", "was shared already"
    ),
    "split": Words(
        "Suggest to split",
        "The ownership document says that it should become several files.",
        "is marked to be split",
        "was marked to be split already",
    ),
    "pin": Words(
        "Pin as shared",
        "It is shared, and stays so when it becomes quiet.",
        "is pinned",
        "was pinned already",
    ),
}


@never_cache
@require_http_methods(["GET", "POST"])
def act(request: HttpRequest, site: AdminSite) -> HttpResponseBase:
    """Ask for the reason, then edit the ownership document in the operator's name."""
    if not request.user.has_perm(rendering.MAY_EDIT_OWNERSHIP):
        raise PermissionDenied
    given = request.POST if request.method == "POST" else None
    form = HotspotForm(given, initial=request.GET.dict())
    chosen = str((given or request.GET).get("action", ""))
    if chosen not in WORDS:
        return HttpResponse(
            "action: expected shared_file, split or pin", status=400, content_type="text/plain"
        )
    if given is not None and form.is_valid():
        done = _edit(request, form)
        if done is not None:
            return done
    context = {
        **site.each_context(request),
        "title": f"{WORDS[chosen].verb}?",
        "form": form,
        "pattern": form["pattern"].value(),
        "verb": WORDS[chosen].verb,
        "meaning": WORDS[chosen].meaning,
        "partial": _is_script(request),
    }
    request.current_app = site.name
    template = "dashboard/act_form.html" if _is_script(request) else "dashboard/act.html"
    return render(request, template, context, status=422 if given is not None else 200)


def _edit(request: HttpRequest, form: HotspotForm) -> HttpResponseBase | None:
    """Do it and say so; ``None`` when it was refused, with the refusal in the form."""
    asked = form.cleaned_data
    author = request.user.get_username()
    try:
        if asked["action"] == "pin":
            done = ownership.pin(pattern=asked["pattern"], author=author, reason=asked["reason"])
        else:
            done = ownership.promote(
                pattern=asked["pattern"],
                action=asked["action"],
                author=author,
                repo=asked["repo"],
                reason=asked["reason"],
            )
    except CoordError as refusal:
        form.add_error(None, f"{refusal.detail}{f' {refusal.next}' if refusal.next else ''}")
        return None
    words = WORDS[asked["action"]]
    said = f"'{asked['pattern']}' {words.done if done.changed else words.was}."
    if _is_script(request):
        return JsonResponse({"said": said})
    messages.success(request, said)
    return redirect("admin:index")


def _is_script(request: HttpRequest) -> bool:
    """Whether the page's own script asks, which shows the answer in place."""
    return request.headers.get("X-Requested-With") == "fetch"
