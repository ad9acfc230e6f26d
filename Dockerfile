# Built with the Python that the tests run on. Two stages: nothing that only building needs is left.
ARG PYTHON=3.11

FROM python:${PYTHON}-slim AS build
WORKDIR /src
RUN python -m venv /opt/venv
COPY constraints.txt pyproject.toml README.md LICENSE ./
COPY claims ./claims
COPY common ./common
COPY coordsite ./coordsite
COPY ownership ./ownership
COPY patterns ./patterns
COPY queueing ./queueing
COPY symbols ./symbols
COPY templates ./templates
COPY webhooks ./webhooks
RUN /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check --constraint constraints.txt '.[oidc,postgres,redis,symbols-all,uvicorn]'

FROM python:${PYTHON}-slim
RUN apt-get update && apt-get install --yes --no-install-recommends git tini && rm -rf /var/lib/apt/lists/*
# A checkout that is mounted belongs to somebody else: git would refuse to read it.
RUN git config --system --add safe.directory '*'
RUN groupadd --gid 1000 coord && useradd --uid 1000 --gid 1000 --home-dir /app --create-home --shell /usr/sbin/nologin coord && mkdir /data && chown coord:coord /data
COPY --from=build /opt/venv /opt/venv
COPY deploy/healthcheck.py /opt/healthcheck.py
ENV PATH=/opt/venv/bin:$PATH
ENV PYTHONUNBUFFERED=1
ENV COORD_HOME=/data
ENV COORD_DATABASE_PATH=/data/coordination.db
ENV COORD_HOST=0.0.0.0
ENV COORD_PORT=8080
WORKDIR /app
USER 1000:1000
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 CMD ["python", "/opt/healthcheck.py"]
ENTRYPOINT ["tini", "--"]
CMD ["coord", "start"]
