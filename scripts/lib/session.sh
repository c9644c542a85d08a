# shellcheck shell=bash
# What a newcomer does next: the URLs, and a session with curl that works as printed (README.md shows the same lines).

# print_urls PROCESS…: where each is reached.
print_urls() {
    local name
    say
    for name in "$@"; do
        case $name in
            "$SIMULATOR") printf '  %-16s %s   (inbox: the codes arrive here)\n' "$name" "$(base_url "$name")/" ;;
            admin-service) printf '  %-16s %s   (the console; operators are made with create-admin)\n' "$name" "$(base_url "$name")/" ;;
            *) printf '  %-16s %s\n' "$name" "$(base_url "$name")" ;;
        esac
    done
}

# curl_session: signs a phone in, reads the profile, logs out and sees the token refused. Only curl and sed; the number
# is a new one each time, because the same phone may be sent a code only every 30 seconds.
curl_session() {
    cat <<SESSION
PHONE="+91987654\$((RANDOM % 7000 + 1000))"
CHALLENGE=\$(curl -sS $(base_url otp-service)/v1/otp/send -H 'Content-Type: application/json' -d '{"phone": "'"\$PHONE"'"}' | sed 's/.*"challenge_id" *: *"\([^"]*\)".*/\1/')
sleep 1
CODE=\$(curl -sS "$(base_url "$SIMULATOR")/messages?mobile=\${PHONE#+}" | sed 's/^[^{]*{[^}]*"otp" *: *"\([0-9]*\)".*/\1/')
PROOF=\$(curl -sS $(base_url otp-service)/v1/otp/verify -H 'Content-Type: application/json' -d '{"challenge_id": "'"\$CHALLENGE"'", "code": "'"\$CODE"'"}' | sed 's/.*"verification_token" *: *"\([^"]*\)".*/\1/')
TOKEN=\$(curl -sS $(base_url user-service)/v1/auth/login -H 'Content-Type: application/json' -d '{"verification_token": "'"\$PROOF"'"}' | sed 's/.*"access_token" *: *"\([^"]*\)".*/\1/')
curl -sS -w '\n%{http_code}\n' $(base_url user-service)/v1/users/me -H "Authorization: Bearer \$TOKEN"
curl -sS -w '%{http_code}\n' -X POST $(base_url user-service)/v1/auth/logout -H "Authorization: Bearer \$TOKEN"
curl -sS -w '\n%{http_code}\n' $(base_url user-service)/v1/users/me -H "Authorization: Bearer \$TOKEN"
SESSION
}

# print_session PROCESS…: the curl session, when all that takes part in it runs here.
print_session() {
    local running=" $* " name
    for name in otp-service user-service "$SIMULATOR"; do
        [[ $running == *" $name "* ]] || return 0
    done
    say
    say "Copy and paste, to be signed in, see your profile (200), log out (204) and see the token refused (401):"
    say
    curl_session
}
