# syntax=docker/dockerfile:1
# The product in one image: the binary, the console in it, and ClickHouse's library for `seamark serve` without outside servers.
# Only linux/amd64 has that library; on linux/arm64 build with --build-arg ENGINE=without and give --clickhouse.dsn.
ARG ENGINE=with

FROM node:20.19-bookworm-slim AS console
WORKDIR /src/console
COPY console/package.json console/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY console/ ./
COPY openapi.yaml /src/openapi.yaml
COPY docs/runbooks/ /src/docs/runbooks/
RUN npm run build

FROM node:20.19-bookworm-slim AS engine-with
WORKDIR /src/deploy/engine
COPY deploy/engine/package.json deploy/engine/package-lock.json ./
RUN npm ci --no-audit --no-fund && mkdir /lib-out && mv node_modules/@chdb/lib-linux-x64-gnu/libchdb.so /lib-out/

FROM node:20.19-bookworm-slim AS engine-without
RUN mkdir /lib-out

FROM engine-${ENGINE} AS engine

FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
COPY --from=console /src/console/dist console/dist
ARG VERSION=dev
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-s -w -buildid= -X main.version=${VERSION}" -o /out/seamark ./cmd/seamark \
    && mkdir -p /out/data

# glibc and certificates, no shell: the binary loads ClickHouse's library, which needs glibc.
FROM gcr.io/distroless/base-debian12:nonroot
ARG VERSION=dev
LABEL org.opencontainers.image.title="Seamark" \
      org.opencontainers.image.source="https://github.com/seamarkhq/seamark" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}"
COPY --from=build /out/seamark /usr/local/bin/seamark
COPY --from=engine /lib-out/ /usr/local/bin/lib/
# A volume that is mounted here for the first time gets its owner from the image.
COPY --from=build --chown=65532:65532 /out/data /var/lib/seamark
ENV SEAMARK_DATA_DIR=/var/lib/seamark
USER 65532:65532
VOLUME /var/lib/seamark
EXPOSE 4480 4481
HEALTHCHECK --interval=10s --timeout=5s --start-period=2m CMD ["/usr/local/bin/seamark", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/seamark"]
CMD ["serve"]
