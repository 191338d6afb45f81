# The service's image: a virtual environment built in one stage, carried into another that holds only Python.
# Any Debian from bookworm on does as a base, or an image made from one.
ARG BASE_IMAGE=debian:bookworm-slim

FROM ${BASE_IMAGE} AS builder
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends ca-certificates python3-venv \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
# Two environments: pip and the build backend stay in this one, the service's own has neither.
RUN python3 -m venv /opt/build && python3 -m venv --without-pip /opt/venv
COPY requirements.lock requirements-build.lock ./
# Google's client brings descriptions of 500 services, of which ours is Drive; numpy brings its tests.
RUN pip="/opt/build/bin/pip --disable-pip-version-check --quiet --no-cache-dir" \
 && $pip install --require-hashes -r requirements-build.lock \
 && $pip --python /opt/venv/bin/python install --require-hashes -r requirements.lock \
 && find /opt/venv -path '*/discovery_cache/documents/*' ! -name 'drive.*' -delete \
 && find /opt/venv -path '*/numpy/*/tests/*' -delete
COPY . .
RUN pip="/opt/build/bin/pip --disable-pip-version-check --quiet --no-cache-dir" \
 && $pip wheel --no-deps --no-build-isolation --wheel-dir /tmp/wheel . \
 && $pip --python /opt/venv/bin/python install --no-deps --no-index /tmp/wheel/*.whl
# What `make model` loaded, if it could; the service looks there for what the data folder has not.
RUN mkdir -p models /opt/venv/share/snapshot-processor \
 && cp -r models /opt/venv/share/snapshot-processor/ && chmod -R a+rX /opt/venv/share/snapshot-processor

FROM ${BASE_IMAGE}
LABEL org.opencontainers.image.title="snapshot-processor" \
      org.opencontainers.image.description="Something happened: take a picture, say what is in it, tell everyone, keep it." \
      org.opencontainers.image.licenses="MIT"
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends ca-certificates fonts-dejavu-core \
    python3 tzdata \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt /var/log/apt /var/log/dpkg.log
# Above the numbers that a distribution gives to its own accounts; docker-compose.yml says which it really is.
ARG APP_UID=10001
ARG APP_GID=10001
RUN groupadd --non-unique --gid "$APP_GID" app \
 && useradd --non-unique --uid "$APP_UID" --gid "$APP_GID" --no-create-home --home-dir /data --shell /usr/sbin/nologin app \
 && install -d -o "$APP_UID" -g "$APP_GID" -m 0750 /data \
 && install -d /config /run/secrets
COPY --from=builder /opt/venv /opt/venv
# Few arenas: glibc's default of eight a core never gives a burst's pictures back.
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONFAULTHANDLER=1 \
    MALLOC_ARENA_MAX=2 \
    DATA_DIR=/data \
    WEB_HOST=0.0.0.0
USER app
WORKDIR /data
VOLUME /data
EXPOSE 8080 2121
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s --retries=3 CMD ["snapshot-processor", "health"]
ENTRYPOINT ["snapshot-processor"]
CMD ["run"]
