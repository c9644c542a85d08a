# The three services and the simulator, one target each: docker build --target otp-service .
#
# Swift is compiled once for all of them. A runtime image is Debian reduced to what the executable links: no shell, no
# package manager; it runs as a numeric user on a read-only root, and its health check is the service itself.
# Both bases must be the same release of Debian, because the executable links the C library of the first.
# checkov:skip=CKV_DOCKER_7:The bases are arguments with tags
ARG SWIFT_IMAGE=swift:6.3-bookworm
ARG RUNTIME_IMAGE=debian:bookworm-slim

# --- Compile -------------------------------------------------------------------------------------------------------
FROM ${SWIFT_IMAGE} AS build
# The versions are those of the Debian release of the base image.
# hadolint ignore=DL3008
RUN apt-get -q update \
    && apt-get -q install -y --no-install-recommends libcurl4-openssl-dev libphonenumber-dev libpq-dev \
        libqrencode-dev libssl-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY Package.swift ./
COPY Sources ./Sources
# The manifest names the targets of tests and benchmarks; nothing of them is compiled here.
COPY Benchmarks ./Benchmarks
COPY Tests ./Tests
# The options are RELEASE_OPTIONS of scripts/lib/build.sh. The build folder outlives the layer, so that a second build
# compiles only what changed.
ARG SWIFT_OPTIONS="-c release --static-swift-stdlib -Xlinker --gc-sections"
COPY deploy/image/compile.sh /usr/local/bin/compile
RUN --mount=type=cache,id=postkey-build,target=/src/.build,sharing=locked sh /usr/local/bin/compile

# --- Collect what each executable needs ----------------------------------------------------------------------------
FROM ${RUNTIME_IMAGE} AS collect
# hadolint ignore=DL3008
RUN apt-get -q update \
    && apt-get -q install -y --no-install-recommends ca-certificates libcurl4 libphonenumber8 libpq5 libqrencode4 \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /out /out
# For verify-full to a managed PostgreSQL: certificates that were put beside, readable at /etc/postkey/certificates.
COPY deploy/certificates /certificates
COPY deploy/image/collect.sh /usr/local/bin/collect
RUN sh /usr/local/bin/collect

# --- Runtime images ------------------------------------------------------------------------------------------------
FROM scratch AS runtime
ENV HOST=0.0.0.0 ENVIRONMENT=production
WORKDIR /app
USER 10001:10001
STOPSIGNAL SIGTERM
LABEL org.opencontainers.image.title="postkey" \
      org.opencontainers.image.description="Phone sign-in on PostgreSQL alone"

FROM runtime AS msg91-simulator
COPY --from=collect /roots/msg91-simulator /
ENV ENVIRONMENT=development
EXPOSE 8090
# A stand-in for MSG91 that only a laptop runs; nothing in a container depends on its health but compose, which asks it
# through the service that uses it.
HEALTHCHECK NONE
ENTRYPOINT ["/app/msg91-simulator"]

FROM runtime AS otp-service
COPY --from=collect /roots/otp-service /
EXPOSE 8081
HEALTHCHECK --interval=10s --timeout=5s --start-period=15s --retries=3 CMD ["/app/otp-service", "health"]
ENTRYPOINT ["/app/otp-service"]

FROM runtime AS user-service
COPY --from=collect /roots/user-service /
EXPOSE 8082
HEALTHCHECK --interval=10s --timeout=5s --start-period=15s --retries=3 CMD ["/app/user-service", "health"]
ENTRYPOINT ["/app/user-service"]

FROM runtime AS admin-service
COPY --from=collect /roots/admin-service /
EXPOSE 8083
HEALTHCHECK --interval=10s --timeout=5s --start-period=15s --retries=3 CMD ["/app/admin-service", "health"]
ENTRYPOINT ["/app/admin-service"]
