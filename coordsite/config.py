"""Typed settings of the service: every ``COORD_*`` variable, read once, bounded, documented here."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from coordsite.home import USUAL_HOME
from coordsite.misconfigured import ConfigError, NoAuthentication
from coordsite.values import RULES

PREFIX = "COORD_"
SECRETS = ("auth_token", "secret_key", "webhook_secret", "oidc_client_secret", "database_url", "redis_url")
"""Settings that may also come from the file that ``<variable>_FILE`` names."""
MOST_SECRET_BYTES = 64 * 1024

Hours = Annotated[float, Field(ge=1 / 60, le=720)]


class SecretFiles(PydanticBaseSettingsSource):
    """``COORD_X_FILE`` names a file that holds ``COORD_X``; a final line break is no part of it."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """The file's text. Raises :class:`ConfigError` when it cannot be read, or both are given."""
        name = f"{PREFIX}{field_name.upper()}"
        path = os.environ.get(f"{name}_FILE", "") if field_name in SECRETS else ""
        if not path:
            return None, field_name, False
        if os.environ.get(name):
            raise ConfigError(f"{name} and {name}_FILE are both set; allowed: one of them")
        try:
            with Path(path).expanduser().open(encoding="utf-8") as file:
                text = file.read(MOST_SECRET_BYTES)
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "not UTF-8 text"
            raise ConfigError(f"{name}_FILE={path!r}: {reason}; allowed: a readable text file") from None
        return text.rstrip("\r\n"), field_name, False

    def __call__(self) -> dict[str, Any]:
        """What the files say."""
        found = {name: self.get_field_value(FieldInfo(), name)[0] for name in SECRETS}
        return {name: value for name, value in found.items() if value is not None}


class Config(BaseSettings):
    """The service's settings. Field names are the variables' names without ``COORD_``, in lower case.

    An empty variable counts as not set.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, case_sensitive=False, extra="ignore", frozen=True, env_ignore_empty=True
    )

    _mask_wrapped: ClassVar[bool] = True
    """Django's lazy settings ask every value for it at each access; a model that lacks it answers slowly."""

    host: str = Field(
        "0.0.0.0",  # noqa: S104  (what coord-api does in a container; `coord start` says 127.0.0.1)
        description="Address to listen on; `coord start` listens on 127.0.0.1 unless this is set.",
    )
    port: int = Field(8080, ge=1, le=65535, description="Port to listen on.")
    home: str = Field(USUAL_HOME, description="State directory of `coord start`: token, database, pid file.")
    database_path: str = Field("data/coordination.db", description="SQLite file, made with its directories.")
    database_url: str = Field(
        "",
        description="`postgresql://user:password@host:port/name`; wins over COORD_DATABASE_PATH.",
    )
    database_pool_size: int = Field(
        16, ge=2, le=500, description="Most PostgreSQL connections of one web process."
    )
    redis_url: str = Field(
        "", description="Server of the Redis protocol for wakeups between processes, `redis://host:port/0`."
    )
    secret_key: SecretStr = Field(
        SecretStr(""), description="Django's signing key; made and kept when empty."
    )
    allowed_hosts: str = Field("*", description="Host names that the service answers to, comma separated.")
    trusted_origins: str = Field(
        "",
        description="Origins of the dashboard behind a TLS proxy, comma separated: `https://coord.example`.",
    )
    mcp_allowed_origins: str = Field(
        "", description="Origins of web pages that may call /mcp, comma separated; loopback ones always may."
    )
    debug: bool = Field(False, description="Django's debug pages. Never in production.")

    auth_token: SecretStr = Field(SecretStr(""), description="The shared bearer token.")
    allow_insecure_no_auth: bool = Field(False, description="Answer everybody when no token is set.")
    require_per_engineer_token: bool = Field(False, description="Refuse the shared token for the API.")
    require_scoped_token: bool = Field(
        False, description="Refuse personal tokens without repositories, operators' excepted."
    )

    public_url: str = Field(
        "",
        description="Where browsers reach the service, `https://coord.acme.dev`; https makes cookies secure.",
    )
    asgi_server: Literal["daphne", "uvicorn"] = Field(
        "daphne", description="What speaks HTTP and websockets; uvicorn comes with the extra `uvicorn`."
    )
    trusted_proxies: int = Field(
        0, ge=0, le=10, description="Proxies in front that set X-Forwarded-For and X-Forwarded-Proto."
    )
    hsts_seconds: int = Field(
        31_536_000, ge=0, le=63_072_000, description="How long browsers keep to https; 0 does not say."
    )
    dashboard_session_lifetime_sec: int = Field(
        28_800, ge=60, le=2_592_000, description="Time after which a signed-in browser signs in again."
    )
    signin_link_sec: int = Field(900, ge=60, le=86_400, description="Time that a sign-in link works.")
    signin_max_failures: int = Field(
        10, ge=3, le=1000, description="Failed sign-ins of an address or account until it has to wait."
    )
    signin_wait_sec: int = Field(900, ge=1, le=86_400, description="How long it has to wait.")
    oidc_issuer: str = Field("", description="OpenID Connect provider for the dashboard, `https://…`.")
    oidc_client_id: str = Field("", description="The service's id at the provider.")
    oidc_client_secret: SecretStr = Field(SecretStr(""), description="The service's secret at the provider.")
    oidc_scopes: str = Field("openid email profile", description="Scopes to ask for, blank separated.")
    oidc_engineer_claim: str = Field("email", description="The claim that names the person.")
    oidc_allowed_principals: str = Field(
        "", description="Who may sign in: names or @domains, comma separated."
    )
    oidc_allow_any_principal: bool = Field(False, description="Everybody at the provider may sign in.")
    oidc_operators: str = Field(
        "", description="Who of them is an operator, others are viewers: names or @domains, comma separated."
    )

    log_level: Literal["trace", "debug", "info", "warning", "error", "critical"] = Field(
        "info", description="Least severe messages to log; `trace` is `debug`."
    )
    log_json: bool = Field(False, description="Log JSON lines.")

    start_ready_timeout_sec: float = Field(
        15, ge=1, le=600, description="Time that `coord start` gives the service to be ready."
    )

    repo_root: str = Field("", description="Checkout whose tracked files name overlaps and feed the guards.")
    repo_id: str = Field("", description="Repository of the checkout; its origin remote when empty.")
    repo_scope: str = Field("", description="Pathspec that limits the checkout's files.")
    max_claim_files: int = Field(
        100, ge=0, le=10_000_000, description="Most tracked files one pattern may cover; 0 no limit."
    )
    max_claim_ratio: float = Field(
        0.2, ge=0, le=1, description="Largest share of the repository a call may cover."
    )
    symbol_parser: Literal["auto", "treesitter"] = Field(
        "auto", description="How symbols are read: tree-sitter in both cases."
    )
    ls_files_cache_ttl_sec: float = Field(
        10, ge=0, le=3600, description="Seconds a file list is kept unchecked, half a second at most."
    )

    default_ttl_hours: Hours = Field(4, description="Lease of a claim, in hours, when the call names none.")
    shared_ttl_hours: Hours = Field(2, description="Lease of a shared_file claim, in hours.")
    idle_timeout_sec: int = Field(
        1800, ge=0, le=2_592_000, description="Silence that ends a session's claims; 0 never."
    )
    request_ttl_short_sec: int = Field(
        300, ge=1, le=86_400, description="Lease left when release is asked for."
    )
    request_cooldown_sec: int = Field(300, ge=0, le=86_400, description="Wait of a denied requester.")
    cleanup_interval_sec: int = Field(
        900,
        ge=1,
        le=86_400,
        description="Longest time between sweeps of ended leases; one runs every minute in any case.",
    )

    queue_age_boost_seconds: int = Field(
        60, ge=0, le=86_400, description="Wait that raises a ticket one level."
    )
    queue_max_overtakes: int = Field(
        10, ge=1, le=1000, description="Times a ticket may be passed before it is first."
    )
    offer_seconds: int = Field(15, ge=1, le=600, description="Time to pick up an offer.")
    max_queued_per_party: int = Field(
        1000, ge=0, le=100_000, description="Waiting tickets of one credential; 0 no limit."
    )
    max_queue_depth_per_repo: int = Field(
        2000, ge=0, le=100_000, description="Waiting tickets per repository."
    )
    max_claims_per_engineer: int = Field(
        0, ge=0, le=1_000_000, description="Live claims of one party; 0 no limit."
    )
    backpressure_header: bool = Field(
        True, description="Say in `X-Coord-Queue-Depth` how many tickets of the engineer wait."
    )

    auto_promote_threshold: int = Field(
        0, ge=0, le=1_000_000, description="Attempts that promote a pattern; 0 never."
    )
    auto_promote_window_days: int = Field(7, ge=1, le=365, description="Window of the attempts.")
    auto_promote_subtree_min_files: int = Field(
        3, ge=0, le=1000, description="Siblings that become a subtree; 0 never."
    )
    auto_demote_interval_sec: int = Field(
        3600, ge=0, le=604_800, description="Time between demotions; 0 never."
    )
    auto_demote_window_days: int = Field(
        14, ge=1, le=365, description="Window without attempts that demotes."
    )

    hotspot_split_attempts: int = Field(
        50, ge=1, le=1_000_000, description="Attempts from which a hotspot's advice is to split it."
    )
    hotspot_share_attempts: int = Field(
        20, ge=1, le=1_000_000, description="Attempts from which a hotspot's advice is to share it."
    )
    contention_retention_days: int = Field(
        90, ge=1, le=3650, description="Days that refused attempts are kept."
    )

    webhook_url: str = Field("", description="Receiver of every event.")
    webhook_secret: SecretStr = Field(SecretStr(""), description="Key of the signature.")
    webhook_events: str = Field("", description="Event types to send, comma separated; empty sends all.")
    webhook_max_retries: int = Field(5, ge=1, le=50, description="Attempts per delivery.")
    webhook_retry_backoff_sec: float = Field(
        60, ge=0.01, le=86_400, description="First pause; doubles each time."
    )
    webhook_delivery_interval_sec: float = Field(
        5, ge=0.05, le=3600, description="Time between looks for due retries."
    )
    webhook_allow_private: bool = Field(
        True, description="Allow receivers on loopback and private addresses."
    )
    event_retention_days: int = Field(
        30, ge=1, le=3650, description="Days that events and their deliveries are kept."
    )
    disable_background_cleanup: bool = Field(
        False, description="Leave sweeps of ended leases to another process; webhooks go on."
    )
    disable_instance_lock: bool = Field(False, description="Allow several services on one SQLite file.")

    @field_validator("log_level", mode="before")
    @classmethod
    def _lower(cls, value: Any) -> Any:
        return value.lower() if isinstance(value, str) else value

    @model_validator(mode="after")
    def _texts(self) -> Self:
        for name, rule in RULES.items():
            value = getattr(self, name)
            text = value.get_secret_value() if isinstance(value, SecretStr) else value
            if text and (allowed := rule(text)) is not None:
                shown = "(hidden)" if name in SECRETS else repr(text[:80])
                raise ConfigError(f"{PREFIX}{name.upper()}={shown}: allowed: {allowed}")
        return self

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.hotspot_share_attempts > self.hotspot_split_attempts:
            raise ConfigError(
                f"COORD_HOTSPOT_SHARE_ATTEMPTS={self.hotspot_share_attempts} is more than"
                f" COORD_HOTSPOT_SPLIT_ATTEMPTS={self.hotspot_split_attempts}; allowed: at most as many"
            )
        self._browsers()
        if self.allow_insecure_no_auth:
            for name in ("require_per_engineer_token", "require_scoped_token"):
                if getattr(self, name):
                    raise ConfigError(
                        f"COORD_ALLOW_INSECURE_NO_AUTH=true contradicts {PREFIX}{name.upper()}=true;"
                        " allowed: one of them"
                    )
        return self

    def _browsers(self) -> None:
        if self.public_url.startswith("https:") and not self.trusted_proxies:
            raise ConfigError(
                "COORD_TRUSTED_PROXIES=0 contradicts an https COORD_PUBLIC_URL (the service itself speaks"
                " http); allowed: the number of proxies in front"
            )
        parts = (self.oidc_issuer, self.oidc_client_id, self.oidc_client_secret.get_secret_value())
        if any(parts[:2]) and not all(parts):
            raise ConfigError(
                "COORD_OIDC_ISSUER, COORD_OIDC_CLIENT_ID and COORD_OIDC_CLIENT_SECRET go together;"
                " allowed: all of them, or none"
            )
        if self.oidc_issuer and not self.oidc_allowed_principals and not self.oidc_allow_any_principal:
            raise ConfigError(
                "COORD_OIDC_ALLOWED_PRINCIPALS is empty: nobody could sign in; allowed: names or @domains,"
                " or COORD_OIDC_ALLOW_ANY_PRINCIPAL=true for everybody at the provider"
            )
        if self.oidc_issuer and find_spec("authlib") is None:
            raise ConfigError("COORD_OIDC_ISSUER needs a library that is not here: pip install 'coord[oidc]'")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment, then the files that it names."""
        return init_settings, env_settings, SecretFiles(settings_cls)

    @property
    def state_directory(self) -> Path:
        """Where this service keeps files of its own: beside its SQLite file, else its home."""
        if self.database_url:
            return Path(self.home).expanduser()
        return Path(self.database_path).expanduser().absolute().parent


def load() -> Config:
    """The settings of the environment. Raises :class:`ConfigError` with one line for the first wrong one."""
    try:
        return Config()
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        field = str(problem["loc"][0])
        shown = "(hidden)" if field in SECRETS else repr(str(problem["input"])[:80])
        raise ConfigError(f"{PREFIX}{field.upper()}={shown}: {allowed(problem)}") from None


def allowed(problem: Any) -> str:
    """What a setting accepts, from pydantic's word about what it got."""
    context = problem.get("ctx", {})
    if problem["type"] == "literal_error":
        return f"allowed: {context['expected']}"
    field = Config.model_fields[str(problem["loc"][0])]
    return f"allowed: {describe_type(field)}"


def describe_type(field: FieldInfo) -> str:
    """A setting's type and bounds in words: ``whole number from 1 to 65535``."""
    kind: Any = field.annotation
    if getattr(kind, "__origin__", None) is Literal:
        return ", ".join(f"`{value}`" for value in kind.__args__)
    if kind in (int, float):
        bounds = {
            name: getattr(mark, name)
            for mark in field.metadata
            for name in ("ge", "le")
            if hasattr(mark, name)
        }
        word = "whole number" if kind is int else "number"
        return f"{word} from {bounds['ge']:.4g} to {bounds['le']:.10g}"
    return "`true` or `false`" if kind is bool else "text"


def require_authentication(config: Config) -> None:
    """Refuse to serve everybody by accident. Raises :class:`NoAuthentication`."""
    if not (
        config.auth_token.get_secret_value()
        or config.require_per_engineer_token
        or config.allow_insecure_no_auth
    ):
        raise NoAuthentication(
            "COORD_AUTH_TOKEN is not set: nobody could ever be let in; allowed: a token,"
            " COORD_REQUIRE_PER_ENGINEER_TOKEN=true for personal tokens alone,"
            " or COORD_ALLOW_INSECURE_NO_AUTH=true to answer everybody"
        )
