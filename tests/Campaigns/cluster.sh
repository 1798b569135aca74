#!/usr/bin/env bash
# The cluster's tests with as many rounds as the promises name, and what takes how long between processes.
# usage: tests/Campaigns/cluster.sh [REPORT]      (Service.Tests must be built in Release; PostgreSQL must be installed)
# Prints Markdown to REPORT, by default tests/Campaigns/results/cluster.md.
set -euo pipefail
cd "$(dirname "$0")/../.."
report=$(realpath -m "${1:-tests/Campaigns/results/cluster.md}")
tests=artifacts/bin/Service.Tests/release/Condense.Service.Tests
export CONDENSE_CAMPAIGN_REPORT="$report"

mkdir -p "$(dirname "$report")"
{
  echo "# Jobs across processes on PostgreSQL"
  echo
  echo "Made by \`tests/Campaigns/cluster.sh\`. One process answers requests, others work, all on one machine with $(nproc) cores"
  echo "($(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)); load average at the start: $(cut -d' ' -f1-3 /proc/loadavg). A worker has one thread."
  echo
} > "$report"
run() { "$tests" --no-progress --explicit on "$@"; }
run --filter-class "*.ClusterMeasurements"
run --filter-class "*.LargeJobMeasurements"
run --filter-class "*.TakeoverTests" --filter-class "*.DrainTests"
run --filter-class "*.CancelAcrossNodesTests" --filter-class "*.AcceptanceCrashTests"
echo "- load average at the end: $(cut -d' ' -f1-3 /proc/loadavg)" >> "$report"
