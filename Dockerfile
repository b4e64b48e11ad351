# One image for every service: which of them a container runs is QUIRE_SERVICES. PostgreSQL, Kafka and the object store
# are somewhere else; the PostgreSQL of the embedded mode is left out.
#
#   docker build -t quire:0.1.0 .
#
# The tag is that of a release of Node. A registry of your own may want the digest beside it.
ARG NODE=node:24.21.0-trixie-slim

# What npm reads and nothing else, so that a change of a source file does not install anew.
FROM ${NODE} AS packages
WORKDIR /quire
COPY . .
RUN find . -type f ! -name package.json ! -name package-lock.json -delete && find . -type d -empty -delete

# The compiler, and out of its work what runs: no tests, no declarations, no test data.
FROM ${NODE} AS build
WORKDIR /quire
COPY --from=packages /quire .
RUN npm ci --ignore-scripts --omit=optional --no-audit --no-fund
COPY . .
RUN node node_modules/typescript/bin/tsc -b apps/quire && mkdir /built \
  && find apps libs -path '*/dist/src/*.js' ! -name '*.spec.js' ! -path '*/node_modules/*' ! -path 'libs/testing/*' \
  -exec cp --parents -t /built {} +

# The packages that run, without those for development.
FROM ${NODE} AS runtime
WORKDIR /quire
COPY --from=packages /quire .
RUN npm ci --ignore-scripts --omit=dev --omit=optional --no-audit --no-fund \
  && rm -rf tools apps/e2e libs/testing node_modules/@quire/tools node_modules/@quire/e2e node_modules/@quire/testing
COPY --from=build /built .

FROM ${NODE}
ENV NODE_ENV=production KAFKAJS_NO_PARTITIONER_WARNING=1
WORKDIR /quire
COPY --from=runtime /quire .
# Of no account in the image: nothing in it is its own, and it writes nowhere.
USER 10001:10001
# The public door of the gateway, the door of a service among the others, health and metrics.
EXPOSE 8080 8081 9090
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.QUIRE_OPERATIONS_PORT || 9090}/health/live`).then(({ ok }) => { process.exitCode = ok ? 0 : 1; }, () => { process.exitCode = 1; })"]
ENTRYPOINT ["node", "--disable-warning=TimeoutNegativeWarning", "apps/quire/dist/src/main.js"]
CMD ["start"]
