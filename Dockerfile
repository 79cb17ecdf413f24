# The shop as one image, from a clean clone: docker build -t counterpart .
FROM node:20-bookworm-slim AS web
WORKDIR /src/web
COPY web/package.json web/package-lock.json ./
RUN npm ci --ignore-scripts --omit=optional --no-audit --no-fund

FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
COPY --from=web /src/web/node_modules web/node_modules
RUN go run ./web/static/build && CGO_ENABLED=0 go build -trimpath -o /counterpart ./cmd/counterpart

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates tzdata && rm -rf /var/lib/apt/lists/* \
 && useradd --system --create-home --home-dir /var/lib/counterpart counterpart
COPY --from=build /counterpart /usr/local/bin/counterpart
USER counterpart
ENV COUNTERPART_ADDR=0.0.0.0:8080 COUNTERPART_DATA=/var/lib/counterpart
EXPOSE 8080
VOLUME /var/lib/counterpart
ENTRYPOINT ["counterpart"]
CMD ["serve"]
