"""What tests of signing in share: a browser, and what it is shown."""

from __future__ import annotations

import html
import re

from django.test import Client


class Browser(Client):
    """Follows Django's forms as a browser does, with CSRF enforced."""

    def __init__(self, **kwargs):
        super().__init__(enforce_csrf_checks=True, **kwargs)

    def fill(self, path, into="/admin/login/", **fields):
        """Load a page, then send a form of it."""
        page = self.get(into).content.decode()
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        return self.post(path, {"csrfmiddlewaretoken": found[1], **fields})

    def password(self, username, password, **more):
        return self.fill("/admin/login/?next=/admin/", username=username, password=password, **more)

    def token(self, raw, **more):
        return self.fill("/admin/signin/token", token=raw, **more)

    def who(self):
        """The account's name as admin shows it; empty when nobody is signed in."""
        page = self.get("/admin/records/")
        if page.status_code != 200:
            return ""
        return html.unescape(re.search(r'class="who">([^<]+)<', page.content.decode())[1])

    def told(self):
        """The messages on the sign-in page."""
        page = html.unescape(self.get("/admin/login/").content.decode())
        return re.findall(r'<li class="error">([^<]+)</li>', page)


def raw_of(api):
    return api.headers["Authorization"].split()[1]
