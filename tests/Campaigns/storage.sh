#!/usr/bin/env bash
# Measures the service on SQLite and on a PostgreSQL of its own (with its default settings, fsync on), and prints Markdown tables:
#
#   tests/Campaigns/storage.sh [MEBIBYTES JOBS ROWS]      default: 1024 10000 100000
#
# results/storage.md holds the tables that were committed.
set -euo pipefail
cd "$(dirname "$0")/../.."
dotnet build src/Service --configuration Release --verbosity quiet -consoleLoggerParameters:NoSummary >&2
dotnet build tests/Campaigns --configuration Release --verbosity quiet -consoleLoggerParameters:NoSummary >&2
campaign=(dotnet artifacts/bin/Campaigns/release/Condense.Campaigns.dll storage "$PWD/artifacts/bin/Service/release/Condense.Service.dll")
sizes=("${1:-1024}" "${2:-10000}" "${3:-100000}")

"${campaign[@]}" "${sizes[@]}"

binaries=$(dirname "$(compgen -G '/usr/lib/postgresql/*/bin/initdb' | sort -V | tail -n 1 || command -v initdb)")
folder=$(mktemp -d)
as_owner=()
if [[ $EUID -eq 0 ]]; then # The server refuses to run as root.
  chown postgres "$folder"
  as_owner=(runuser -u postgres --)
fi
stop() {
  (cd / && "${as_owner[@]}" "$binaries/pg_ctl" -D "$folder/data" -m immediate stop >&2) || true
  rm -rf "$folder"
}
trap stop EXIT
port=$((20000 + RANDOM % 10000))
(
  cd /
  "${as_owner[@]}" "$binaries/initdb" -D "$folder/data" -A trust -U postgres --encoding=UTF8 >&2
  "${as_owner[@]}" "$binaries/pg_ctl" -D "$folder/data" -w -l "$folder/log" -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$folder" start >&2
)
"${campaign[@]}" "${sizes[@]}" "Host=127.0.0.1;Port=$port;Username=postgres;Database=postgres"
