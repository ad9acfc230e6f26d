"""Typed settings of the service: every ``COORD_*`` variable, read once, bounded, documented here."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

Hours = Annotated[float, Field(ge=1 / 60, le=720)]


class Config(BaseSettings):
    """The service's settings. Field names are the variables' names without ``COORD_``, in lower case."""

    model_config = SettingsConfigDict(env_prefix="COORD_", case_sensitive=False, extra="ignore", frozen=True)

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8080, ge=1, le=65535, description="Port to listen on.")
    home: str = Field("~/.coord", description="State directory of `coord start`: token, database, pid file.")
    database_path: str = Field("data/coordination.db", description="SQLite file, made with its directories.")
    database_url: str = Field("", description="Database as a URL; wins over COORD_DATABASE_PATH.")
    redis_url: str = Field("", description="Redis-protocol server for the channel layer.")
    secret_key: SecretStr = Field(
        SecretStr(""), description="Django's signing key; made and kept when empty."
    )
    allowed_hosts: str = Field("*", description="Host names that the service answers to, comma separated.")
    debug: bool = Field(False, description="Django's debug pages. Never in production.")

    auth_token: SecretStr = Field(SecretStr(""), description="The shared bearer token.")
    allow_insecure_no_auth: bool = Field(False, description="Answer everybody when no token is set.")
    require_per_engineer_token: bool = Field(False, description="Refuse the shared token for the API.")
    require_scoped_token: bool = Field(False, description="Refuse personal tokens without repositories.")

    log_level: Literal["debug", "info", "warning", "error", "critical"] = Field(
        "info", description="Least severe messages to log."
    )
    log_json: bool = Field(False, description="Log JSON lines.")

    repo_root: str = Field("", description="Checkout whose tracked files name overlaps and feed the guards.")
    repo_id: str = Field("", description="Repository of the checkout; its origin remote when empty.")
    repo_scope: str = Field("", description="Pathspec that limits the checkout's files.")
    max_claim_files: int = Field(
        100, ge=0, le=10_000_000, description="Most tracked files one pattern may cover."
    )
    max_claim_ratio: float = Field(
        0.2, ge=0, le=1, description="Largest share of the repository a call may cover."
    )
    ls_files_cache_ttl_sec: float = Field(
        10, ge=0, le=3600, description="Seconds a file list is kept unchecked."
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
    cleanup_interval_sec: int = Field(900, ge=1, le=86_400, description="Longest time between sweeps.")

    queue_age_boost_seconds: int = Field(
        60, ge=0, le=86_400, description="Wait that raises a ticket one level."
    )
    queue_max_overtakes: int = Field(
        10, ge=1, le=1000, description="Times a ticket may be passed before it is first."
    )
    offer_seconds: int = Field(15, ge=1, le=600, description="Time to pick up an offer.")
    max_queued_per_party: int = Field(
        100, ge=0, le=100_000, description="Waiting tickets of one party; 0 no limit."
    )
    max_queue_depth_per_repo: int = Field(
        2000, ge=0, le=100_000, description="Waiting tickets per repository."
    )
    max_claims_per_engineer: int = Field(
        0, ge=0, le=1_000_000, description="Live claims of one party; 0 no limit."
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
    disable_background_cleanup: bool = Field(False, description="Leave sweeps to another process.")
    disable_instance_lock: bool = Field(False, description="Allow several services on one SQLite file.")
