#!/usr/bin/env bash
# Starts Condense on this machine and carries one sample model through it.
#
#   ./run.sh           leaves the service running
#   ./run.sh --check   does the same and stops what it started
#
# CONDENSE_PORT  the port on 127.0.0.1 (default 8080)
# CONDENSE_DATA  the folder of the database and the models (default data/ beside this script)
set -euo pipefail
cd "$(dirname "$0")"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

readonly port=${CONDENSE_PORT:-8080} data=${CONDENSE_DATA:-$PWD/data}
readonly service=http://127.0.0.1:$port sample=samples/moby-dick-lstm.onnx vocabulary=samples/vocab.json
readonly work=artifacts/run built=artifacts/run/built
readonly log=$work/service-$port.log result=$work/moby-dick-lstm.small.onnx

check=false
case ${1:-} in
  '') ;;
  --check) check=true ;;
  *) echo "usage: ./run.sh [--check]" >&2; exit 2 ;;
esac

# Says what is wrong and what to do about it.
stop() { printf '%s\n' "$@" >&2; exit 1; }

command -v dotnet >/dev/null || stop "The .NET SDK is missing: install version $(sed -n 's/.*"version": *"\([^"]*\)".*/\1/p' global.json) or later and put dotnet on the PATH."
command -v curl >/dev/null || command -v wget >/dev/null || stop "Neither curl nor wget is here: install one of them; this script speaks HTTP with it."
[[ $port =~ ^[0-9]{1,5}$ ]] || stop "CONDENSE_PORT is '$port': give a port number, for example CONDENSE_PORT=8090 ./run.sh."
mkdir -p "$work" "$data"

# --- HTTP and JSON, with what every machine has ---------------------------------------------------------------------------------

# GNU's wget shows the body of an error only when it is asked to; others do not know the option.
on_error=$(wget --help 2>/dev/null | grep -o -m 1 -e --content-on-error) || true

# request PATH [HEADER [BODY-FILE]]: the body of a 2xx answer goes to $work/answer; anything else is a failure.
# With a body it is a POST.
request() {
  local path=$1 header=${2:-Accept: application/json} body=${3:-}
  if command -v curl >/dev/null; then
    local status
    status=$(curl -sS -o "$work/answer" -w '%{http_code}' -H "$header" ${body:+--data-binary "@$body"} "$service$path" 2>"$work/error") || return 1
    [[ $status == 2?? ]]
  else
    wget -q ${on_error:+"$on_error"} -O "$work/answer" --header "$header" ${body:+--post-file "$body"} "$service$path" 2>"$work/error"
  fi
}

# The same, and the script ends with the service's own words when it fails.
must() {
  request "$@" || stop "$service$1 did not answer as it should:" "$(cat "$work/error" "$work/answer" 2>/dev/null)" "The service's log is $log."
}

# field NAME [TEXT]: the first string of that name in compact JSON, by default in the last answer.
field() {
  local text=${2:-$(cat "$work/answer")} value
  value=$(grep -o "\"$1\": *\"[^\"]*\"" <<<"$text" | head -n 1 | cut -d '"' -f 4) || true
  [[ -n $value ]] || stop "The service's answer has no '$1': $text"
  printf '%s' "$value"
}

# until_state PATH STATE: asks until the resource is in that state; ends the script when it gets into another final one.
until_state() {
  local state
  for _ in $(seq 600); do
    must "$1"
    state=$(field state)
    case $state in
      "$2") return ;;
      rejected | failed | canceled | expired) stop "$service$1 is $state:" "$(cat "$work/answer")" ;;
    esac
    sleep 0.2
  done
  stop "$service$1 is still '$state' after two minutes. The service's log is $log."
}

sha256() { if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d ' ' -f 1; }

# --- Build ----------------------------------------------------------------------------------------------------------------------

# Newer than every source (and every folder of sources, whose time changes when a file is added or removed) means up to date.
if [[ ! -f $built || -n $(find src global.json Directory.Build.props Directory.Packages.props BannedSymbols.txt .editorconfig -newer "$built" | head -n 1) ||
      ! -f artifacts/bin/Service/release/Condense.Service.dll || ! -f artifacts/bin/Cli/release/Condense.Cli.dll ]]; then
  echo "Building the service and the command line."
  touch "$work/started" # What is edited during the build counts as newer.
  for project in Service Cli; do
    dotnet build "src/$project" --configuration Release --verbosity quiet -consoleLoggerParameters:NoSummary
  done
  mv "$work/started" "$built"
fi

# --- Start ----------------------------------------------------------------------------------------------------------------------

running() { request /readyz 2>/dev/null && request /v1/methods && grep -q '"low-rank"' "$work/answer"; }
listening() { (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; }

pid= # Of the service, when this run started it.
leave() {
  [[ -n $pid ]] && kill "$pid" 2>/dev/null && wait "$pid" || true
}
trap leave EXIT

if running; then
  echo "Condense already runs at $service."
else
  listening && stop "Another process listens on port $port: stop it, or take another port: CONDENSE_PORT=$((port + 1)) ./run.sh"
  nohup dotnet artifacts/bin/Service/release/Condense.Service.dll --urls "$service" --Storage:Folder="$data" </dev/null >"$log" 2>&1 &
  pid=$!
  for _ in $(seq 300); do
    kill -0 "$pid" 2>/dev/null || stop "The service ended at its start; its last words:" "$(tail -n 5 "$log")" \
      "CONDENSE_PORT names another port, CONDENSE_DATA another data folder."
    running && break
    sleep 0.1
  done
  running || stop "The service is not ready after 30 seconds. Its log is $log."
fi

# --- One model, start to end ----------------------------------------------------------------------------------------------------

must "/v1/models?name=$(basename "$sample")" 'Content-Type: application/octet-stream' "$sample"
model=$(field id)
until_state "/v1/models/$model" ready

must '/v1/datasets?name=vocab.json' 'Content-Type: application/json' "$vocabulary"
frequencies=$(field id)

printf '{"model":"%s","target":{"ratio":3.5},"frequencies":"%s"}' "$model" "$frequencies" >"$work/job.json"
must /v1/jobs 'Content-Type: application/json' "$work/job.json"
job=$(field id)
until_state "/v1/jobs/$job" succeeded
answer=$(cat "$work/answer")
small=$(field model "${answer#*\"result\":}")

must "/v1/jobs/$job/report" 'Accept: text/markdown'
cp "$work/answer" "$work/report.md"
echo
cat "$work/report.md"
echo

must "/v1/models/$small"
digest=$(field sha256)
must "/v1/models/$small/content" 'Accept: application/octet-stream'
mv "$work/answer" "$result"
[[ $(sha256 "$result") == "$digest" ]] || stop "$result is not what the service announced: its SHA-256 is $(sha256 "$result") instead of $digest."

cat <<TEXT
Downloaded and verified: $result, SHA-256 $digest

  Try it      $service/swagger
  API         $service/v1
  The model   $service/v1/models/$small
  The report  $service/v1/jobs/$job/report
TEXT

if $check; then
  [[ -n $pid ]] && echo "Checked; the service is stopped again." || echo "Checked; the service that already ran goes on."
elif [[ -n $pid ]]; then
  echo "  Log         $log"
  echo
  echo "The service runs with process id $pid. To stop it: kill $pid"
  disown "$pid"
  pid=
fi
