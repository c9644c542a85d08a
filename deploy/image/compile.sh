#!/bin/sh
# Inside the build stage of the Dockerfile: compiles the executables and lays each with its resources in /out.
set -eu

cd /src
for product in otp-service user-service admin-service msg91-simulator; do
    # shellcheck disable=SC2086 # Options, one a word.
    swift build ${SWIFT_OPTIONS:--c release} --product "$product"
done
# shellcheck disable=SC2086
built=$(swift build ${SWIFT_OPTIONS:--c release} --show-bin-path)

# lay PRODUCT MODULE: SwiftPM's accessor looks for the resources (migrations, OpenAPI file, pages) beside the executable.
lay() {
    mkdir -p "/out/$1"
    strip -o "/out/$1/$1" "$built/$1"
    cp -R "$built/postkey_$2.resources" "/out/$1/"
}
lay otp-service OTPService
lay user-service UserService
lay admin-service AdminService
lay msg91-simulator MSG91Simulator
