#!/usr/bin/env bash
# Measures how an outbox full of webhooks drains, on SQLite and, with its connection string, on an empty PostgreSQL database; prints Markdown tables:
#
#   tests/Campaigns/webhooks.sh [DELIVERIES [CONNECTION STRING]]      default: 1000
#
# results/webhooks.md holds the tables that were committed.
set -euo pipefail
cd "$(dirname "$0")/../.."
dotnet build src/Service --configuration Release --verbosity quiet -consoleLoggerParameters:NoSummary >&2
dotnet build tests/Campaigns --configuration Release --verbosity quiet -consoleLoggerParameters:NoSummary >&2
campaign=(dotnet artifacts/bin/Campaigns/release/Condense.Campaigns.dll webhooks "$PWD/artifacts/bin/Service/release/Condense.Service.dll" "${1:-1000}")
"${campaign[@]}"
if [[ -n ${2:-} ]]; then
  echo
  "${campaign[@]}" "$2"
fi
