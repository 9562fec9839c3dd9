# One image for web, worker and beat: the same set-up and the same commands as on a bare machine.
FROM python:3.12-slim-bookworm

ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app

# Packages first: this layer is made again only when the pinned lists change.
COPY run requirements.txt requirements-nodeps.txt requirements-torch.txt ./
COPY launcher launcher
RUN ROLLCALL_DATA_DIR=/tmp/setup ./run setup && rm -rf /tmp/setup

COPY . .
RUN ROLLCALL_DATA_DIR=/tmp/build ROLLCALL_STATIC_DIR=/app/staticfiles ./run manage collectstatic --no-input \
    && rm -rf /tmp/build \
    && useradd --uid 10001 --user-group --no-create-home --home-dir /data rollcall \
    && install -d -o rollcall -g rollcall -m 700 /data

ENV ROLLCALL_DATA_DIR=/data ROLLCALL_STATIC_DIR=/app/staticfiles ROLLCALL_STATIC_FROM_SOURCE=false \
    ROLLCALL_HOST=0.0.0.0 ROLLCALL_PORT=8000
USER rollcall
VOLUME /data
EXPOSE 8000
CMD ["./run", "web"]
