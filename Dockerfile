# Two images from one file:
#   docker build -t dynamo-csv .                       the service: docker run … dynamo-csv --all
#   docker build -t dynamo-csv-demo --target demo .    with the simulated taxi fleet, no AWS needed
# Dependencies are installed before the sources are copied: a change of code rebuilds the last layers only.

FROM node:24-slim AS base
WORKDIR /app
ENV NODE_ENV=production

# All packages, to compile; nothing of this stage but dist/ reaches an image.
FROM base AS build
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci --include=dev --no-audit --no-fund
COPY tsconfig.json ./
COPY scripts/bundle-sdk.mjs scripts/bundle-service.mjs scripts/bundle-web.mjs scripts/load-bundle.mjs \
    scripts/sdk-schemas.mjs scripts/warm-bundle.mjs scripts/warm-threads.mjs ./scripts/
# The build starts the service once and keeps what V8 compiled: this stage has the Node, and the build Node's flags, of the service.
COPY src ./src
RUN npm run build

FROM base AS dependencies
COPY package.json package-lock.json ./
# What only compilers and debuggers read is left out: 25 MB of the packages' type declarations and source maps.
RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev --no-audit --no-fund \
    && find node_modules -type f \( -name '*.d.ts' -o -name '*.d.[cm]ts' -o -name '*.map' \) -delete

# What both images share, except for the packages.
FROM base AS runtime
LABEL org.opencontainers.image.title="dynamo-csv" \
      org.opencontainers.image.description="Live DynamoDB tables as CSV for Grafana, with the history that DynamoDB forgets" \
      org.opencontainers.image.licenses="MIT"
# HOME is where the AWS SDK looks for .aws, whatever user id the container runs as. More of malloc's arenas than one, buffers
# of 32 KB and more in them, and a higher threshold (malloc raises both thresholds by itself) keep memory that no thread uses.
ENV DATA_DIR=/data \
    HOME=/home/node \
    HOST=0.0.0.0 \
    MALLOC_ARENA_MAX=1 \
    MALLOC_MMAP_THRESHOLD_=32768 \
    MALLOC_TRIM_THRESHOLD_=131072 \
    NODE_OPTIONS=--enable-source-maps \
    PORT=8080
# A new volume takes its folder's owner and mode: whatever user id the container runs as, it can write there.
RUN mkdir /data /dashboards && chown 1000:1000 /data /dashboards && chmod 1777 /data /dashboards
COPY package.json LICENSE ./
COPY config ./config
# The user node of the image, as a number so that an orchestrator can tell that it is not root.
USER 1000:1000
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
# Node itself asks: the slim image has no curl, and needs none. The demo writes thirty days of past before it answers.
HEALTHCHECK --interval=10s --timeout=5s --start-period=2m --retries=3 \
  CMD ["node", "--eval", "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then((response) => process.exit(response.ok ? 0 : 1), () => process.exit(1))"]

FROM runtime AS demo
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist/src ./dist/src
COPY --from=build /app/dist/web ./dist/web
CMD ["node", "dist/src/demo/main.js"]

# The last stage is what a build makes unless told otherwise.
FROM runtime AS service
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist/src ./dist/src
COPY --from=build /app/dist/web ./dist/web
# The arguments of `docker run` are those of the command; without any, CONFIG names the configuration file. Node's flags are
# those of `npm start`: see nodeFlags in src/base/project.ts.
ENTRYPOINT ["node", "--max-semi-space-size=2", "--initial-old-space-size=16", "dist/src/bin.js"]
