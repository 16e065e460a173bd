FROM node:20-bookworm-slim AS assets
WORKDIR /assets
COPY package.json package-lock.json ./
RUN npm ci --silent

FROM python:3.12-slim-bookworm
RUN apt-get update \
 && apt-get install -y --no-install-recommends fonts-noto-cjk libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 postgresql-client \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY pyproject.toml uv.lock README.md ./
COPY marketplace marketplace
COPY search search
COPY seed seed
RUN pip install --no-cache-dir uv && uv sync --frozen --no-dev --compile-bytecode && .venv/bin/python -m compileall -q marketplace search seed && useradd --create-home market && mkdir /data && chown market /data
COPY --from=assets /assets/node_modules/htmx.org/dist/htmx.min.js marketplace/static/vendor/htmx.min.js
ENV PATH=/app/.venv/bin:$PATH
USER market
VOLUME /data
EXPOSE 8000
CMD ["marketplace", "run", "--no-demo"]
