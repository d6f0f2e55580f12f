# One image for every role: `worker`, `dashboard`, `start`, any hpsearch command.
# The digest is the one that Docker's official-images project lists for this tag (multi-platform
# index). docs/operations.md says how to move to a newer one.
FROM python:3.11.16-slim-bookworm@sha256:c425d915a89a6dcd3183b1797ad9bd8878caff5a417f6371c8df93c8ea8b727f AS base
ENV LANG=C.UTF-8 PYTHONUNBUFFERED=1

FROM base AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/hpsearch
WORKDIR /build
COPY requirements/run.txt requirements/run.txt
RUN /opt/hpsearch/bin/pip install --only-binary :all: --require-hashes -r requirements/run.txt
COPY pyproject.toml README.md LICENSE ./
COPY search search
COPY spaces spaces
COPY storage storage
RUN /opt/hpsearch/bin/pip install --no-deps --no-build-isolation .

FROM base AS run
RUN groupadd --gid 10001 hpsearch \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/hpsearch --shell /usr/sbin/nologin hpsearch \
    && install -d -o hpsearch -g hpsearch -m 0750 /var/lib/hpsearch /var/lib/hpsearch/files /var/lib/hpsearch/data
COPY --from=build /opt/hpsearch /opt/hpsearch
COPY --chmod=0755 docker/entrypoint.sh /usr/local/bin/hpsearch-entrypoint

# The root file system may be read-only: what programs cache goes to /tmp, what is kept to volumes.
ENV PATH=/opt/hpsearch/bin:/usr/local/bin:/usr/bin:/bin \
    HPSEARCH_FILES=/var/lib/hpsearch/files \
    HPSEARCH_DATA=/var/lib/hpsearch/data \
    KERAS_HOME=/tmp/keras \
    MPLCONFIGDIR=/tmp/matplotlib
USER 10001:10001
WORKDIR /var/lib/hpsearch
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=60s --timeout=30s --start-period=60s --retries=3 CMD ["hpsearch", "db", "check"]
ENTRYPOINT ["hpsearch-entrypoint"]
CMD ["--help"]
