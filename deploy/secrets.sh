#!/usr/bin/env bash
# Makes the secrets of docker-compose.yml in deploy/secrets/, which git ignores: the password of the database, the connection string with it, and
# the first admin key. What is there already stays.
set -euo pipefail
cd "$(dirname "$0")"
umask 077
mkdir -p secrets

# letters N: random letters and digits.
letters() { LC_ALL=C tr -dc 'A-Za-z0-9' < <(head -c 4096 /dev/urandom) | head -c "$1"; }

# keep NAME TEXT: readable for the user that the container runs as; the folder around it is not.
keep() {
  if [[ -e secrets/$1 ]]; then
    echo "deploy/secrets/$1 is there already."
  else
    printf '%s' "$2" >"secrets/$1"
    chmod 444 "secrets/$1"
    echo "deploy/secrets/$1 made."
  fi
}

keep postgres-password "$(letters 40)"
keep connection-string "Host=postgres;Username=condense;Database=condense;Password=$(cat secrets/postgres-password)"
keep bootstrap-key "cnd_live_$(letters 50)"
