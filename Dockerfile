# One image for web, worker, office and beat: the same set-up and the same commands as on a bare machine.
# For a build that can be repeated to the byte, name the base with its digest:
#   docker build --build-arg PYTHON_IMAGE=python:3.12-slim-trixie@sha256:... .
ARG PYTHON_IMAGE=python:3.12-slim-trixie

FROM ${PYTHON_IMAGE} AS build
ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app

# Packages first: this layer is made again only when the pinned lists change.
COPY run requirements.txt requirements-nodeps.txt requirements-torch.txt ./
COPY launcher launcher
RUN ROLLCALL_DATA_DIR=/tmp/setup ./run setup && rm -rf /tmp/setup

COPY . .
RUN ROLLCALL_DATA_DIR=/tmp/build ROLLCALL_STATIC_DIR=/app/staticfiles ./run manage collectstatic --no-input \
    && rm -rf /tmp/build \
    && .venv/bin/python -m compileall -q -j 0 attendance camera config emotion launcher recognition

FROM ${PYTHON_IMAGE}
# pg_dump and pg_restore, for backups; of the version of Debian's own release, which is the one docker-compose.yml runs.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends postgresql-client-17 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin rollcall \
    && install -d -o rollcall -g rollcall -m 700 /data /backups
WORKDIR /app
COPY --from=build /app /app

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 MPLCONFIGDIR=/tmp \
    ROLLCALL_DATA_DIR=/data ROLLCALL_STATIC_DIR=/app/staticfiles ROLLCALL_STATIC_FROM_SOURCE=false \
    ROLLCALL_HOST=0.0.0.0 ROLLCALL_PORT=8000
USER 10001:10001
VOLUME /data
EXPOSE 8000
CMD ["./run", "web"]
