"""Django settings, derived from :class:`coordsite.config.Config` (``settings.COORD``)."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import dj_database_url
from csp.constants import NONE, SELF

from common.sqlite import Connection
from coordsite import config, keys
from coordsite.logs import logging_config

COORD = config.load()

BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = keys.signing_key(COORD)
DEBUG = COORD.debug
ALLOWED_HOSTS = [host.strip() for host in COORD.allowed_hosts.split(",") if host.strip()]

INSTALLED_APPS = [
    *(
        ["daphne"] if "runserver" in sys.argv else []
    ),  # its command; importing Twisted takes every other one time
    "coordsite.admin.apps.CoordAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "channels",
    "django_q",
    "axes",
    "webhooks",
    "queueing",
    "ownership",
    "claims",
    "coordsite",
]

MIDDLEWARE = [
    "coordsite.gate.Gate",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    "coordsite.signin.backends.TokenBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "admin:login"

ROOT_URLCONF = "coordsite.urls"
ASGI_APPLICATION = "coordsite.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates", BASE_DIR / "coordsite" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

SQLITE_OPTIONS = {
    # A write transaction takes the write lock when it begins: what it reads is what it decides on.
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    # A call writes some 20 pages, mostly the same: the longer the log (16 MiB), the fewer are copied.
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY;"
    " PRAGMA wal_autocheckpoint=4000;",
    "factory": Connection,
}


PREPARE_AFTER = 2
"""Executions of a statement on a PostgreSQL connection after which it is prepared there."""


def _database() -> dict[str, Any]:
    if COORD.database_url:
        database: dict[str, Any] = dict(dj_database_url.parse(COORD.database_url))
    else:
        path = str(Path(COORD.database_path).expanduser())
        database = {"ENGINE": "django.db.backends.sqlite3", "NAME": path}
    database["CONN_MAX_AGE"] = None
    if database["ENGINE"].endswith("sqlite3"):
        database["OPTIONS"] = SQLITE_OPTIONS
    else:
        # A connection that its server dropped is noticed before it is used, not by the request that uses it.
        database["CONN_HEALTH_CHECKS"] = True
        # Statements are planned once per connection, not at every call: a third of the time of a change.
        database["OPTIONS"] = {
            **database.get("OPTIONS", {}),
            "server_side_binding": True,
            "prepare_threshold": PREPARE_AFTER,
        }
    return database


DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [COORD.redis_url]},
    }
    if COORD.redis_url
    else {"BACKEND": "channels.layers.InMemoryChannelLayer"}
}

Q_CLUSTER = {
    "name": "coord",
    "orm": "default",
    "broker_class": "coordsite.broker.Broker",
    "workers": 2,
    "timeout": 60,
    "retry": 90,
    "max_attempts": 3,
    # Seconds between two looks at the workers; a divisor of timeout + 3, from which django-q2 counts to zero.
    "guard_cycle": 3,
    "catch_up": False,
    "label": "Tasks",
}

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_AUTHENTICATION_CLASSES": ["coordsite.authentication.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["coordsite.authentication.IsAuthenticated"],
    "EXCEPTION_HANDLER": "coordsite.exceptions.handle",
    "UNAUTHENTICATED_USER": None,
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Multi-Agent Coordination",
    "VERSION": "0.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "DEFAULT_GENERATOR_CLASS": "coordsite.schema.Generator",
    "ENUM_NAME_OVERRIDES": {
        "ConflictKind": ["held", "queued"],
        "DeliveryStatus": "webhooks.models.Delivery.Status",
        "TokenStatus": "coordsite.models.Token.Status",
        "DeliveryKind": ["event", "test", "replay"],
        "FenceState": ["live", "ended", "wrong_fence", "not_yours", "unknown"],
        "PathVerdict": ["yours", "unclaimed", "held_by_other", "stale_fence"],
    },
}

# Browsers: what they may keep, run and be shown in. Behind a proxy that ends TLS, its word counts.
HTTPS = COORD.public_url.startswith("https:")
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if COORD.trusted_proxies else None
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = COORD.hsts_seconds if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
# Behind a proxy that ends TLS a page's origin is https while its request arrives over http.
CSRF_TRUSTED_ORIGINS = [
    one.strip().rstrip("/") for one in (COORD.public_url, *COORD.trusted_origins.split(",")) if one.strip()
]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = bool(CSRF_TRUSTED_ORIGINS) and all(
    one.startswith("https://") for one in CSRF_TRUSTED_ORIGINS
)
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "coord_session", "coord_csrf"
SESSION_COOKIE_AGE = COORD.dashboard_session_lifetime_sec
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
    }
}

AXES_FAILURE_LIMIT = COORD.signin_max_failures
AXES_COOLOFF_TIME = timedelta(seconds=COORD.signin_wait_sec)
AXES_LOCKOUT_PARAMETERS = "coordsite.signin.throttling.counted_by"
AXES_CLIENT_IP_CALLABLE = "coordsite.signin.throttling.address_of"
AXES_LOCKOUT_CALLABLE = "coordsite.signin.throttling.told_to_wait"
AXES_SENSITIVE_PARAMETERS = ["password", "token"]
AXES_RESET_ON_SUCCESS = False
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = AXES_VERBOSE = False

STATIC_URL = "static/"
USE_TZ = True
TIME_ZONE = "UTC"
# The pages are in English, and looking up translations would be a fifth of their cost.
USE_I18N = False
LANGUAGE_CODE = "en-us"
FORMAT_MODULE_PATH = ["coordsite.formats"]
APPEND_SLASH = False
# Static files are served from the installed packages: nothing to collect.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = COORD.debug
LOGGING = logging_config(COORD.log_level, COORD.log_json)
