"""All settings, read from the environment; the defaults run one school on one machine.

Names and defaults are listed in ``docs/operations.md``.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import environ
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from kombu import Queue

from config.logs import settings_for
from config.secret_files import secret

# Before torch is imported anywhere: spinning threads cost tenfold beside one busy process.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

DATA_DIR = Path(env.str("ROLLCALL_DATA_DIR", default=str(BASE_DIR / "var")))
DATA_DIR.mkdir(parents=True, exist_ok=True)

DEBUG = env.bool("DEBUG", default=False)
LOCAL_ONLY = env.bool("ROLLCALL_LOCAL", default=True)
"""True while the server is reached from this machine or its school network without TLS."""
if DEBUG and not LOCAL_ONLY:
    raise ImproperlyConfigured("DEBUG shows code and settings to visitors: not with ROLLCALL_LOCAL off.")

DEFAULT_SECRET_KEY = "local-use-only-not-a-secret"  # noqa: S105 (refused outside local use)
SECRET_KEY = secret("SECRET_KEY", DEFAULT_SECRET_KEY)
if not LOCAL_ONLY and SECRET_KEY == DEFAULT_SECRET_KEY:
    raise ImproperlyConfigured("SECRET_KEY must be set when ROLLCALL_LOCAL is off.")

ROLLCALL_KEYS: list[str] = [
    key for key in secret("ROLLCALL_KEYS").replace("\n", ",").replace(" ", "").split(",") if key
]
"""What seals photos and encodings at rest, newest first; the launcher makes one for a machine of its own."""
if not LOCAL_ONLY and not ROLLCALL_KEYS:
    raise ImproperlyConfigured("ROLLCALL_KEYS must be set when ROLLCALL_LOCAL is off: ./run manage keys new")

ROLLCALL_AUDIT_KEY = secret("ROLLCALL_AUDIT_KEY") or f"audit:{SECRET_KEY}"
"""Chains the log of who looked at whom; changing it makes older entries look broken."""

THIS_MACHINE = ["localhost", "127.0.0.1", "[::1]"]
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=THIS_MACHINE)
if SECRET_KEY == DEFAULT_SECRET_KEY and not set(ALLOWED_HOSTS) <= set(THIS_MACHINE):
    raise ImproperlyConfigured("SECRET_KEY must be set when ALLOWED_HOSTS names more than this machine.")
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
ROLLCALL_PROXIES = env.list("ROLLCALL_PROXIES", default=[] if LOCAL_ONLY else ["127.0.0.1", "::1"])
"""Networks of reverse proxies whose ``X-Forwarded-For`` says where a request comes from."""

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "django_htmx",
    "django_otp",
    "django_otp.plugins.otp_static",
    "axes",
    "csp",
    "attendance.apps.AttendanceConfig",
]

MIDDLEWARE = [
    "config.middleware.RealAddress",
    "config.middleware.RequestLog",
    "config.middleware.HealthFirst",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "attendance.web.guards.KeptByNoCache",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "attendance.web.guards.TextOnly",
    "attendance.second_factor_gate.SecondFactorGate",
    "attendance.schooltime.SchoolTimeMiddleware",
    "attendance.labels.LabelsMiddleware",
    "attendance.audit_trail.AuditTrail",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "attendance.web.context.school",
            ],
        },
    }
]

# --- Database -------------------------------------------------------------------------------
DATABASES = {"default": env.db_url_config(secret("DATABASE_URL", f"sqlite:///{DATA_DIR / 'db.sqlite3'}"))}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # WAL lets pages read while a worker writes; IMMEDIATE avoids deadlock on upgrade to write.
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 30,
        "transaction_mode": "IMMEDIATE",
        # secure_delete: what is deleted is overwritten with zeros, not left in free pages.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; "
        "PRAGMA secure_delete=ON;",
    }
else:
    # Apart from the address, so that a password may have any characters and come from a file of its own.
    DATABASES["default"]["PASSWORD"] = secret("POSTGRES_PASSWORD") or DATABASES["default"].get("PASSWORD", "")
    DATABASES["default"]["CONN_MAX_AGE"] = env.int("DATABASE_CONN_MAX_AGE", default=60)
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    # A machine whose network was cut hears neither an answer nor an end: without these it waits for hours.
    DATABASES["default"]["OPTIONS"] = {
        "connect_timeout": 5,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 20_000,  # milliseconds
        **DATABASES["default"].get("OPTIONS", {}),
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Files ----------------------------------------------------------------------------------
MEDIA_ROOT = DATA_DIR / "media"
MEDIA_URL = "/not-served/"  # photos are served only by views that ask the permission layer
STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("ROLLCALL_STATIC_DIR", default=str(DATA_DIR / "static")))
STATICFILES_DIRS = [BASE_DIR / "static"]
ROLLCALL_S3_BUCKET = env.str("ROLLCALL_S3_BUCKET", default="")
"""Photos and other stored files lie in this bucket of an S3-compatible store; empty: in ``MEDIA_ROOT``."""
S3_OPTIONS: dict[str, Any] = {
    "bucket_name": ROLLCALL_S3_BUCKET,
    "location": env.str("ROLLCALL_S3_PREFIX", default=""),
    "endpoint_url": env.str("ROLLCALL_S3_ENDPOINT", default="") or None,
    "region_name": env.str("ROLLCALL_S3_REGION", default="us-east-1"),
    "access_key": secret("ROLLCALL_S3_ACCESS_KEY") or None,
    "secret_key": secret("ROLLCALL_S3_SECRET_KEY") or None,
    "addressing_style": env.str("ROLLCALL_S3_ADDRESSING", default="") or None,
    "verify": env.str("ROLLCALL_S3_CA", default="") or None,
    "seconds": env.float("ROLLCALL_S3_SECONDS", default=8.0),
}
STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "attendance.object_storage.ObjectStorage", "OPTIONS": S3_OPTIONS}
    if ROLLCALL_S3_BUCKET
    else {"BACKEND": "attendance.storage.DurableStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = env.bool("ROLLCALL_STATIC_FROM_SOURCE", default=LOCAL_ONLY)
FILE_UPLOAD_MAX_MEMORY_SIZE = 26 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 26 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FILES = 200

# --- People and sessions of the browser -------------------------------------------------------
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "web:login"
LOGIN_REDIRECT_URL = "web:today"
LOGOUT_REDIRECT_URL = "web:login"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_TEMPLATE = "registration/locked.html"
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False
AXES_SENSITIVE_PARAMETERS = [
    "username", "ip_address", "code", "next", "csrfmiddlewaretoken", "old_password", "new_password1", "new_password2",
]  # fmt: skip
"""What the rows of refused tries never hold."""
AXES_DISABLE_ACCESS_LOG = True  # who signed in stands in our own log, without addresses

ROLLCALL_SECOND_FACTOR_REQUIRED = env.bool("ROLLCALL_SECOND_FACTOR_REQUIRED", default=not LOCAL_ONLY)
"""Whether administrators must have a second factor; everybody on the staff may."""

# --- Safety ---------------------------------------------------------------------------------
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if not LOCAL_ONLY:
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31_536_000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:", "blob:"],
        "media-src": [SELF, "blob:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# --- Language and time ------------------------------------------------------------------------
LANGUAGE_CODE = env.str("ROLLCALL_LANGUAGE", default="en")
LANGUAGES = [("en", _("English")), ("es", _("Spanish"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
SCHOOL_TIME_ZONE = env.str("ROLLCALL_TIME_ZONE", default="UTC")
"""Used until the school's own zone is set on its settings row."""

# --- Queue ----------------------------------------------------------------------------------
REDIS_URL = secret("REDIS_URL", "redis://127.0.0.1:6379/0")
# Kombu's unix-socket scheme carries the path; redis-py wants unix://. Both are derived from one setting.
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a worker waits for its Redis as long as it takes
# Photos and what is quick on one worker; what may take minutes on another, so that no photo waits for a report.
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_QUEUES = [Queue(name) for name in ("photos", "default", "office")]
CELERY_TASK_ROUTES = {
    f"attendance.tasks.{name}": {"queue": queue}
    for queue, names in {
        "photos": ["process_snapshot", "check_portrait"],
        "office": [
            "make_report",
            "work_out_figures",
            "keep_figures_fresh",
            "send_mail",
            "send_due_reports",
            "send_digests",
            "send_warnings",
            "purge_expired",
            "forget_sessions",
            "keep_tallies",
            "verify_tallies",
        ],
    }.items()
    for name in names
}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = False  # the sweeper brings back what a dead worker held
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_MEMORY_PER_CHILD = env.int("ROLLCALL_WORKER_MEMORY_KIB", default=2_500_000)
CELERY_TASK_SOFT_TIME_LIMIT = env.int("ROLLCALL_TASK_SECONDS", default=120)
CELERY_TASK_TIME_LIMIT = CELERY_TASK_SOFT_TIME_LIMIT + 30
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "socket_connect_timeout": 2,
    "socket_timeout": 20,
    "queue_order_strategy": "priority",
    # One try when a task is sent: an upload must not wait for Redis, the sweeper queues again.
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0,
    "interval_max": 0,
}
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "config.presence:Scheduler"
CELERY_BEAT_SCHEDULE = {
    "sweep": {"task": "attendance.tasks.sweep", "schedule": 30.0},
    "open-due-sessions": {"task": "attendance.tasks.open_due_sessions", "schedule": 30.0},
    "apply-timetables": {"task": "attendance.tasks.apply_timetables", "schedule": 6 * 3600.0},
    "close-finished-sessions": {"task": "attendance.tasks.close_finished_sessions", "schedule": 60.0},
    "watch-cameras": {"task": "attendance.tasks.watch_cameras", "schedule": 60.0},
    "send-warnings": {"task": "attendance.tasks.send_warnings", "schedule": 3600.0},
    "send-due-reports": {"task": "attendance.tasks.send_due_reports", "schedule": 60.0},
    "send-digests": {"task": "attendance.tasks.send_digests", "schedule": 900.0},
    "keep-figures-fresh": {"task": "attendance.tasks.keep_figures_fresh", "schedule": 900.0},
    "purge-expired": {"task": "attendance.tasks.purge_expired", "schedule": 3600.0},
    "keep-tallies": {"task": "attendance.tasks.keep_tallies", "schedule": 300.0},
    "verify-tallies": {"task": "attendance.tasks.verify_tallies", "schedule": 24 * 3600.0},
    "forget-sessions": {"task": "attendance.tasks.forget_sessions", "schedule": 6 * 3600.0},
}

# --- What processes remember together: rates, looks already written ---------------------------
CACHES = {
    "default": {
        "BACKEND": "attendance.shared_cache.SharedCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "rollcall",
    }
}

# --- E-mail: nothing leaves until a server is named -------------------------------------------
EMAIL_HOST = env.str("EMAIL_HOST", default="")
EMAIL_PORT = env.int("EMAIL_PORT", default=587)
EMAIL_HOST_USER = env.str("EMAIL_USER", default="")
EMAIL_HOST_PASSWORD = secret("EMAIL_PASSWORD")
EMAIL_USE_SSL = env.bool("EMAIL_SSL", default=False)
EMAIL_USE_TLS = env.bool("EMAIL_TLS", default=not EMAIL_USE_SSL)
EMAIL_TIMEOUT = 20
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'dummy'}.EmailBackend"
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str("EMAIL_FROM", default="")
ROLLCALL_SITE_URL = env.str("ROLLCALL_SITE_URL", default="").rstrip("/")
"""What links in e-mails begin with, such as ``https://rollcall.school.example``."""

# --- API --------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "attendance.api.authentication.CameraKeyAuthentication",
        "attendance.api.authentication.ApiTokenAuthentication",
        "attendance.api.authentication.VerifiedSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PAGINATION_CLASS": "attendance.api.pagination.BoundedPagination",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "EXCEPTION_HANDLER": "attendance.api.problems.problem_response",
    "DEFAULT_THROTTLE_RATES": {"camera": "240/min", "user": "1200/min", "pairing": "10/min"},
    "PAGE_SIZE": 100,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Rollcall",
    "DESCRIPTION": "Upload classroom snapshots and read rolls, rosters and sightings.",
    "VERSION": "0.1.0",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "attendance.api.schema.add_problems",
    ],
    "ENUM_NAME_OVERRIDES": {
        "SessionState": "attendance.models.ClassSession.State",
        "SnapshotState": "attendance.models.Snapshot.State",
        "PortraitState": "attendance.models.Portrait.State",
        "ConsentState": "attendance.api.serializers.biometrics.STANDINGS",
        "MarkStatus": "attendance.models.Mark.Status",
        "MarkSource": "attendance.models.Mark.Source",
        "ReviewVerdict": "attendance.models.Review.Verdict",
        "RosterVerdict": "attendance.rosters.Verdict",
        "ContestState": "attendance.models.Contest.State",
        "ContestKind": "attendance.models.Contest.Kind",
        "Decision": "attendance.models.Sighting.Decision",
    },
}

# --- Rollcall's own ---------------------------------------------------------------------------
ROLLCALL_SIGN_IN_NETWORKS = env.list("ROLLCALL_SIGN_IN_NETWORKS", default=[])
"""Where students may sign in by code from, such as ``10.0.0.0/8``; empty: anywhere."""
ROLLCALL_ENGINE = env.str("ROLLCALL_ENGINE", default="default")
ROLLCALL_DETECTOR = env.str("ROLLCALL_DETECTOR", default="") or None
ROLLCALL_RECIPE = env.str("ROLLCALL_RECIPE", default="") or None
ROLLCALL_RUNTIME = env.str("ROLLCALL_RUNTIME", default="") or None
ROLLCALL_SECOND_OPINION = env.bool("ROLLCALL_SECOND_OPINION", default=True)
"""Whether every face is also read by the second network, where its weights are there."""
ROLLCALL_MIN_FACE_PIXELS = env.int("ROLLCALL_MIN_FACE_PIXELS", default=32)
ROLLCALL_MAX_UPLOAD_BYTES = env.int("ROLLCALL_MAX_UPLOAD_BYTES", default=25 * 1024 * 1024)
ROLLCALL_MAX_PIXELS = env.int("ROLLCALL_MAX_PIXELS", default=50_000_000)
ROLLCALL_MAX_WAITING = env.int("ROLLCALL_MAX_WAITING", default=20_000)
"""Photos that may wait to be looked at; beyond it senders are told to come again (429)."""
ROLLCALL_MIN_FREE_BYTES = env.int("ROLLCALL_MIN_FREE_BYTES", default=200 * 1024 * 1024)
ROLLCALL_LATE_PHOTO_HOURS = env.int("ROLLCALL_LATE_PHOTO_HOURS", default=72)
"""How long after its end a session takes photos that a camera shot during it."""
ROLLCALL_LEASE_SECONDS = env.int("ROLLCALL_LEASE_SECONDS", default=180)
ROLLCALL_MAX_ATTEMPTS = 3
ROLLCALL_WORKER_PROCESSES = env.int("ROLLCALL_WORKER_PROCESSES", default=1)
ROLLCALL_TORCH_THREADS = env.int("ROLLCALL_TORCH_THREADS", default=0)
"""0: the machine's cores shared out over the worker processes."""

ROLLCALL_FORGOTTEN_FILE = env.str("ROLLCALL_FORGOTTEN_FILE", default=str(DATA_DIR / "forgotten.jsonl"))
"""Who withdrew or was deleted, as hashes: read when a backup is restored, so best kept where backups are."""
ROLLCALL_METRICS_TOKEN = secret("ROLLCALL_METRICS_TOKEN")
"""Who brings it as a bearer token may read ``/metrics``; empty: there is no such page."""

ROLLCALL_LOG_FORMAT = env.str("ROLLCALL_LOG_FORMAT", default="plain")
if ROLLCALL_LOG_FORMAT not in ("plain", "json"):
    raise ImproperlyConfigured("ROLLCALL_LOG_FORMAT is plain (for people) or json (one object a line).")
LOGGING: dict[str, Any] = settings_for(env.str("ROLLCALL_LOG_LEVEL", default="INFO"), ROLLCALL_LOG_FORMAT)
