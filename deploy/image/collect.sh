#!/bin/sh
# Inside the collecting stage of the Dockerfile: for each executable under /out a root folder in /roots with nothing but
# the executable, its resources, the shared libraries that it links, certificates, and the records by which scanners
# know the packages that the libraries are from.
set -eu

# keep ROOT PACKAGE: its record and its licence.
keep() {
    [ ! -e "$1/var/lib/dpkg/status.d/$2" ] || return 0
    mkdir -p "$1/var/lib/dpkg/status.d" "$1/usr/share/doc/$2"
    dpkg-query -s "$2" >"$1/var/lib/dpkg/status.d/$2"
    [ ! -e "/usr/share/doc/$2/copyright" ] || cp -L "/usr/share/doc/$2/copyright" "$1/usr/share/doc/$2/"
}

# owner FILE: the package that a library is from; Debian records some below /usr/lib and some below /lib.
owner() { { dpkg-query -S "$1" || dpkg-query -S "/usr$1" || dpkg-query -S "${1#/usr}"; } 2>/dev/null | sed -n '1s/[:,].*//p'; }

for folder in /out/*; do
    name=${folder##*/}
    root=/roots/$name
    mkdir -p "$root/usr/lib" "$root/usr/lib64" "$root/etc/ssl/certs" "$root/etc/postkey/certificates" "$root/app" "$root/run/postkey"
    mkdir -m 1777 "$root/tmp"
    ln -s usr/lib "$root/lib"
    ln -s usr/lib64 "$root/lib64"
    cp -R "$folder/." "$root/app/"
    chmod -R a+rX,go-w "$root/app"

    if ldd "$folder/$name" | grep -q 'not found'; then
        ldd "$folder/$name" | grep 'not found' >&2
        exit 1
    fi
    ldd "$folder/$name" | sed -nE 's/.*=> (\/[^ ]+) .*/\1/p; s/^[[:space:]]*(\/[^ ]+) .*/\1/p' | while read -r library; do
        # /lib is a link to /usr/lib, here and there.
        place=$root/usr${library#/usr}
        mkdir -p "${place%/*}"
        cp -L "$library" "$place"
        keep "$root" "$(owner "$library")"
    done

    cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
    keep "$root" ca-certificates
    for certificate in /certificates/*.pem; do
        [ ! -e "$certificate" ] || cp "$certificate" "$root/etc/postkey/certificates/"
    done
    cp -L /etc/debian_version /etc/os-release "$root/etc/"
    echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
    echo 'postkey:x:10001:10001::/app:/sbin/nologin' >"$root/etc/passwd"
    echo 'postkey:x:10001:' >"$root/etc/group"
    # Without a shell to try it in: the loader itself resolves everything inside the new root.
    loader=$(find "$root/usr/lib" "$root/usr/lib64" -name 'ld-linux-*' | head -n 1)
    chroot "$root" "${loader#"$root"}" --list "/app/$name" >/dev/null
done
