# Base image of every stage. `make base-image` writes the tag's current digest here; a tag alone changes over time.
ARG PYTHON_IMAGE=python:3.13-slim

FROM ${PYTHON_IMAGE} AS serve-packages
COPY requirements/serve.txt /
RUN python -m venv --without-pip /venv && \
    pip --python /venv/bin/python install --no-cache-dir --require-hashes -r /serve.txt && \
    find /venv -depth -type d -name tests -exec rm -r {} +

FROM ${PYTHON_IMAGE} AS train-packages
COPY requirements/train.txt /
RUN python -m venv --without-pip /venv && \
    pip --python /venv/bin/python install --no-cache-dir --require-hashes -r /train.txt

FROM ${PYTHON_IMAGE} AS base
LABEL org.opencontainers.image.title=lagcast org.opencontainers.image.licenses=MIT
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
COPY artifact artifact
# A new named volume is initialized with these files and their owner.
COPY --chown=10001:10001 models models

# Training, with TensorFlow: `docker compose run --rm train` publishes into the repository that the service watches.
FROM base AS training
COPY --from=train-packages /venv /venv
COPY training training
ENV HOME=/tmp MPLCONFIGDIR=/tmp
USER 10001:10001
ENTRYPOINT ["python", "-m", "training"]

FROM base AS service
COPY --from=serve-packages /venv /venv
COPY service service
RUN install -d -o 10001 -g 10001 state
ENV LAGCAST_HOST=0.0.0.0
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=5s --timeout=4s --start-period=10s --start-interval=0.5s --retries=3 CMD [ \
    "python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ.get(\"LAGCAST_PORT\", 8000)}/health/ready', timeout=3)"]
ENTRYPOINT ["python", "-m", "service"]
