# The operator's image. Both stages use one base image, since the virtual environment links to its Python; 3.11 is what
# the tests run on. To pin it: --build-arg PYTHON=python@sha256:...
ARG PYTHON=python:3.11-slim

FROM ${PYTHON} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
# The build backend is among the development tools, and locked with them.
COPY requirements/ requirements/
RUN python -m venv /tools && /tools/bin/pip install --require-hashes --requirement requirements/dev.txt
RUN python -m venv /app && /app/bin/pip install --require-hashes --only-binary :all: --requirement requirements/run.txt
COPY pyproject.toml README.md LICENSE ./
COPY operator/ operator/
RUN /tools/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
    && /app/bin/pip install --no-deps /wheels/*.whl \
    && /app/bin/pip uninstall --yes pip

FROM ${PYTHON}
COPY --from=build /app /app
# A pod's probes and Prometheus come from outside of it.
ENV PYTHONUNBUFFERED=1 BROWNOUT_METRICS_ADDRESS=0.0.0.0:9095
EXPOSE 9095
USER 65532:65532
ENTRYPOINT ["/app/bin/brownout"]
CMD ["run"]
