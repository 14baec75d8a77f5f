# The server:            docker build -t kinecast .
# With a Pi's camera:    docker build -t kinecast-pi --target pi .      (on a Raspberry Pi)
# For both processors:   docker buildx build --platform linux/amd64,linux/arm64 -t kinecast .
# How they are run: docs/deployment.md.

# ---- A Raspberry Pi's own camera: libcamera and picamera2 are the system's, and so is Python.
FROM dtcooper/raspberrypi-os:bookworm AS pi
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends python3-picamera2 python3-venv libgl1 libglib2.0-0 \
    && rm -rf /var/lib/apt/lists/*
COPY . /src
# numpy 1: picamera2's own parts are built for it there.
RUN python3 -m venv --system-site-packages /opt/kinecast \
    && /opt/kinecast/bin/pip install --no-cache-dir '/src[pose,history]' 'numpy<2' \
    && PIP_NO_CACHE_DIR=1 /opt/kinecast/bin/kinecast models fetch pose --folder /opt/kinecast/models \
    && useradd --system --uid 999 --groups video --home-dir /data kinecast \
    && install -d -o kinecast -m 700 /data /recordings
ENV PATH=/opt/kinecast/bin:$PATH XDG_DATA_HOME=/data XDG_CACHE_HOME=/data/cache \
    RECORD_OUTPUT_DIR=/recordings HOST=0.0.0.0 POSE_MODEL=/opt/kinecast/models/pose.task
USER 999
WORKDIR /data
VOLUME ["/data", "/recordings"]
EXPOSE 8083 8084
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD \
    ["python3", "-c", "import os, urllib.request as u; \
    u.urlopen('http://127.0.0.1:' + os.environ.get('PORT', '8083') + '/health', timeout=4)"]
CMD ["kinecast"]

# ---- The server.
FROM python:3.12-slim-bookworm AS build
COPY . /src
RUN python3 -m venv /opt/kinecast \
    && /opt/kinecast/bin/pip install --no-cache-dir '/src[pose,history]' \
    && /opt/kinecast/bin/kinecast models fetch pose --folder /opt/kinecast/models

FROM python:3.12-slim-bookworm AS server
# What OpenCV's wheel links.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgl1 libglib2.0-0 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 999 --groups video --home-dir /data kinecast \
    && install -d -o kinecast -m 700 /data /recordings
COPY --from=build /opt/kinecast /opt/kinecast
ENV PATH=/opt/kinecast/bin:$PATH XDG_DATA_HOME=/data XDG_CACHE_HOME=/data/cache \
    RECORD_OUTPUT_DIR=/recordings HOST=0.0.0.0 POSE_MODEL=/opt/kinecast/models/pose.task
USER 999
WORKDIR /data
VOLUME ["/data", "/recordings"]
EXPOSE 8083 8084
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD \
    ["python3", "-c", "import os, urllib.request as u; \
    u.urlopen('http://127.0.0.1:' + os.environ.get('PORT', '8083') + '/health', timeout=4)"]
CMD ["kinecast"]
