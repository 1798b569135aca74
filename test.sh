#!/usr/bin/env bash
# Installs what the tests need, builds the solution and runs every test. Whatever happens, the last line of the output is
# "N passed, N failed, N skipped"; the exit code is 0 only when something passed and nothing failed.
#
#   ./test.sh                  everything
#   ./test.sh Engine Models    only Engine.Tests and Models.Tests
#
# The tests of the service run twice: on SQLite, and on a PostgreSQL of their own.
#
# A tool that can't be installed is no failure: the tests that need it skip themselves and say so.
set -uo pipefail
cd "$(dirname "$0")"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

# Minutes after which one test project counts as hung.
readonly patience=25

passed=0 failed=0 skipped=0 child=
log=$(mktemp)

finish() {
  local code=$?
  rm -f "$log"
  if [[ $failed -eq 0 && ($code -ne 0 || $passed -eq 0) ]]; then
    failed=1 # Stopped before any test could fail.
  fi
  echo "$passed passed, $failed failed, $skipped skipped"
  [[ $failed -eq 0 ]]
  exit $?
}
interrupted() {
  [[ -n $child ]] && kill -TERM -- "-$child" 2>/dev/null && wait "$child"
  failed=$((failed + 1))
  echo "Interrupted."
  exit 130
}
trap finish EXIT
trap interrupted INT TERM HUP

# Runs a command and keeps its output in the log. It runs in the background, in a process group of its own, so that a signal reaches
# this script at once, and not after the command's end.
attend() {
  set -m
  ("$@" 2>&1 | tee "$log") </dev/null &
  child=$!
  set +m
  wait "$child"
  local code=$?
  child=
  return $code
}

# --- What the tests need -------------------------------------------------------------------------------------------------------

# Debian keeps the server's programs off the PATH.
has_postgresql() { compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null; }

install_packages() {
  local missing=()
  command -v curl >/dev/null || missing+=(curl)
  command -v npm >/dev/null || missing+=(nodejs npm)
  command -v chromium >/dev/null || missing+=(chromium)
  command -v docker-compose >/dev/null || missing+=(docker-compose)
  has_postgresql || missing+=(postgresql)
  [[ ${#missing[@]} -eq 0 ]] && return

  local root=()
  if [[ $EUID -ne 0 ]]; then
    if ! sudo -n true 2>/dev/null; then
      echo "Not root, and sudo asks for a password: ${missing[*]} not installed; tests that need them are skipped."
      return
    fi
    root=(sudo -n)
  fi
  if ! command -v apt-get >/dev/null; then
    echo "No apt-get here: install ${missing[*]} by hand; until then tests that need them are skipped."
    return
  fi
  echo "Installing ${missing[*]}."
  attend "${root[@]}" apt-get update -qq >/dev/null
  # One by one, so that one that is not to be had does not keep the others away.
  for package in "${missing[@]}"; do
    attend "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$package" >/dev/null ||
      { tail -n 3 "$log"; echo "$package could not be installed; tests that need it are skipped."; }
  done
}

install_node_packages() {
  # npm writes this file last: newer than the lock file, it says that what is locked is there.
  if [[ ! tests/node_modules/.package-lock.json -nt tests/package-lock.json ]]; then
    if ! command -v npm >/dev/null; then
      echo "npm is missing: tests that run models in ONNX Runtime are skipped."
      return
    fi
    echo "Installing the Node packages of tests/package-lock.json."
    attend npm --prefix tests ci --ignore-scripts >/dev/null ||
      { tail -n 5 "$log"; echo "npm ci failed; tests that run models in ONNX Runtime are skipped."; return; }
    touch tests/node_modules/.package-lock.json
  fi
  local architecture=x64
  [[ $(uname -m) == aarch64 ]] && architecture=arm64
  local library
  for library in "$PWD"/tests/node_modules/onnxruntime-node/bin/napi-v*/linux/$architecture/libonnxruntime.so.1; do
    [[ -f $library ]] && export CONDENSE_ONNXRUNTIME_LIBRARY=${CONDENSE_ONNXRUNTIME_LIBRARY:-$library}
  done
}

if ! command -v dotnet >/dev/null; then
  echo "The .NET SDK of global.json is missing: install it and put dotnet on the PATH."
  exit 1
fi
install_packages
install_node_packages
if [[ -z ${CONDENSE_SHARED_DATA:-} && -d ../shared/data ]]; then
  CONDENSE_SHARED_DATA=$(cd ../shared/data && pwd)
  export CONDENSE_SHARED_DATA
fi

# --- Build ---------------------------------------------------------------------------------------------------------------------

if ! attend dotnet build Service.sln --configuration Release --verbosity quiet -consoleLoggerParameters:NoSummary; then
  echo "The build failed."
  exit 1
fi

# --- Tests ---------------------------------------------------------------------------------------------------------------------

# The number behind a key in the last summary of the log, or nothing.
count() { sed -n "s/^ *$1: \([0-9][0-9]*\) *$/\1/p" "$log" | tail -n 1; }

# Runs a test project. What follows its name is shown beside it; what comes then is for the runner.
run_tests() {
  local project=$1 assembly="artifacts/bin/$1/release/Condense.$1.dll" title="$1${2:+ $2}" code total
  shift $(($# > 1 ? 2 : 1))
  echo
  echo "== $title"
  # In the foreground of this group, so that an interruption reaches the tests and not only their guard.
  attend timeout --foreground --kill-after=30 "${patience}m" dotnet "$assembly" --no-progress --no-ansi "$@"
  code=$?
  total=$(count total)
  if [[ -z $total ]]; then
    echo "$title crashed, hung or never began: exit code $code."
    failed=$((failed + 1))
    return
  fi
  local bad
  bad=$(count failed)
  passed=$((passed + $(count succeeded))) skipped=$((skipped + $(count skipped)))
  # An assembly that ran no test, ran out of time, or broke outside its tests fails as a whole.
  [[ $code -ne 0 && $bad -eq 0 ]] && { echo "$title: exit code $code."; bad=1; }
  failed=$((failed + bad))
}

if [[ $# -eq 0 ]]; then
  set -- tests/*.Tests
fi
for project in "$@"; do
  project=$(basename "$project")
  run_tests "${project%.Tests}.Tests"
  if [[ ${project%.Tests} == Service ]] && has_postgresql; then
    # Those of clusters have run on it already.
    CONDENSE_TEST_DATABASE=postgres run_tests Service.Tests 'on PostgreSQL' --filter-not-namespace Condense.Service.Tests.Cluster
  fi
done
echo
