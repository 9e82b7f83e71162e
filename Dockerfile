# The same file makes a CPU and a CUDA image; only the index that torch comes from differs:
#   docker build .                                                                  (CPU)
#   docker build --build-arg TORCH_INDEX=https://download.pytorch.org/whl/cu130 .   (CUDA)
# Stages: `app` (the default, last) serves; `test` (--target test) runs lint, types and every test at build time.
FROM python:3.11-slim-bookworm AS base
# graphviz draws the graphs; g++ is torch's compiler.
RUN apt-get update \
 && apt-get install -y --no-install-recommends graphviz g++ \
 && rm -rf /var/lib/apt/lists/*
RUN python3 -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 OMP_NUM_THREADS=1
WORKDIR /app
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
COPY requirements.txt .
# torch first and from its own index: PyPI's wheel brings several GB of CUDA whether or not there is a GPU.
RUN pip install --no-cache-dir --extra-index-url "$TORCH_INDEX" "$(grep '^torch==' requirements.txt)" \
 && pip install --no-cache-dir -r requirements.txt

FROM base AS test
RUN apt-get update \
 && apt-get install -y --no-install-recommends make chromium git nodejs npm \
 && rm -rf /var/lib/apt/lists/*
COPY requirements-test.txt .
RUN pip install --no-cache-dir -r requirements-test.txt
COPY . .
RUN ruff check . && ruff format --check . && pyright && python -m pytest -n 2 --dist loadfile

FROM base AS app
COPY . .
USER 10001
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["python", "-c", "import urllib.request as u; assert u.urlopen('http://localhost:8501/_stcore/health', timeout=4).read() == b'ok'"]
CMD ["streamlit", "run", "serve.py", "--server.address=0.0.0.0", "--server.port=8501"]
