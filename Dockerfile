# The HTTP service in an image of its own:
#   docker build -t kanal .
#   docker run --read-only --tmpfs /tmp -p 8000:8000 -e KANAL_API_KEYS=... -v "$PWD/model:/model:ro" kanal
# with a model that `kanal train --out model` wrote. To have one inside of the image:
#   docker build -t kanal --target with-model --build-arg MODEL=model .

FROM python:3.11-slim AS build
WORKDIR /source
RUN ["python", "-m", "venv", "/opt/kanal"]
COPY pyproject.toml constraints.txt README.md LICENSE kanal.py ./
COPY cli/ cli/
COPY serve/ serve/
COPY train/ train/
COPY workbench/ workbench/
RUN ["/opt/kanal/bin/pip", "install", "--no-cache-dir", "--constraint", "constraints.txt", ".[serve]"]
# The kernels are compiled here, for this machine's processor; on another kind the first start takes half a minute more.
ENV XDG_CACHE_HOME=/opt/kanal/cache
RUN ["/opt/kanal/bin/python", "-c", "from serve.kernels import table; table('fold')"]

FROM python:3.11-slim AS run
COPY --from=build /opt/kanal /opt/kanal
ENV PATH=/opt/kanal/bin:$PATH XDG_CACHE_HOME=/opt/kanal/cache PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 65532:65532
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
STOPSIGNAL SIGTERM
CMD ["kanal", "serve", "--host", "0.0.0.0", "--port", "8000", "--model", "/model"]

FROM run AS with-model
ARG MODEL=model
COPY ${MODEL}/ /model/

FROM run
