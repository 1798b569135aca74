#!/usr/bin/env bash
# Builds the image of this repository, starts it as a deployment would (a user without rights, nothing writable but /data and /tmp, a key), carries
# the sample model through it, and takes everything away again.
#
#   deploy/container.sh
#
# CONDENSE_ENGINE  docker, podman or buildah (default: the first of them that works here)
# CONDENSE_PORT    the port on 127.0.0.1 (default 18080)
# BUILD_OPTIONS    more options of the engine's build, for example --pull=never
#
# Exit code: 0 it works; 1 it does not; 77 there is no engine here, so nothing was tried.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly port=${CONDENSE_PORT:-18080} image=condense:check name=condense-check-$$
readonly service=http://127.0.0.1:$port
work=$(mktemp -d)

stop() { printf '%s\n' "$@" >&2; exit 1; }

# --- Which engine ---------------------------------------------------------------------------------------------------------------

works() {
  command -v "$1" >/dev/null || return 1
  case $1 in
    docker | podman) "$1" info >/dev/null 2>&1 ;; # The program without its daemon is no engine.
    buildah) true ;;
  esac
}

engine=${CONDENSE_ENGINE:-}
if [[ -z $engine ]]; then
  for candidate in docker podman buildah; do
    works "$candidate" && engine=$candidate && break
  done
fi
if [[ -z $engine ]] || ! works "$engine"; then
  echo "No container engine works here (docker or podman with its daemon, or buildah): the image was neither built nor started."
  exit 77
fi

# --- Build, start, stop ---------------------------------------------------------------------------------------------------------

# Without user namespaces and overlays, as in most build machines.
buildah() { command buildah --storage-driver vfs "$@"; }

container= pid=
leave() {
  local code=$?
  [[ $code -eq 0 ]] || tail -n 20 "$work/log" >&2 2>/dev/null || true
  case $engine in
    docker | podman) [[ -n $container ]] && "$engine" rm --force --volumes "$container" >/dev/null ;;
    buildah)
      # The engine ends at the signal, what it started does not: the group takes it all.
      [[ -n $pid ]] && kill -- "-$pid" 2>/dev/null && wait "$pid"
      [[ -n $container ]] && buildah rm "$container" >/dev/null
      ;;
  esac || true
  rm -rf "$work"
  exit "$code"
}
trap leave EXIT

echo "Building with $engine."
# BUILD_OPTIONS is several words.
# shellcheck disable=SC2086
case $engine in
  docker | podman) "$engine" build --tag "$image" ${BUILD_OPTIONS:-} . ;;
  buildah) buildah bud --isolation chroot --layers=false --tag "$image" ${BUILD_OPTIONS:-} . ;;
esac

# A command of the image, its output on ours.
in_image() {
  case $engine in
    docker | podman) "$engine" run --rm "$image" "$@" ;;
    buildah)
      [[ -n $container ]] || container=$(buildah from --pull-never "$image")
      # buildah runs commands and not the image's entry point.
      buildah run --isolation chroot "$container" -- dotnet /app/service/Condense.Service.dll "$@"
      ;;
  esac
}

# In the shell's own name: a subshell would lose the container's.
[[ $engine != buildah ]] || container=$(buildah from --pull-never "$image")
key=$(in_image keys generate)
[[ $key == cnd_live_* ]] || stop "The image does not make keys; it said: $key"

echo "Starting."
case $engine in
  docker | podman)
    container=$("$engine" run --detach --name "$name" --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges \
      --publish "127.0.0.1:$port:8080" --volume /data --env "Access__BootstrapKey=$key" "$image")
    "$engine" logs --follow "$container" >"$work/log" 2>&1 &
    ;;
  buildah)
    set -m
    buildah run --isolation chroot --env "Access__BootstrapKey=$key" --env "ASPNETCORE_URLS=http://127.0.0.1:$port" "$container" -- \
      dotnet /app/service/Condense.Service.dll >"$work/log" 2>&1 &
    pid=$!
    set +m
    ;;
esac

# --- One model, start to end ----------------------------------------------------------------------------------------------------

# ask PATH [OPTION…]: the body of a 2xx answer.
ask() { curl --silent --show-error --fail-with-body --header "Authorization: Bearer $key" "${@:2}" "$service$1"; }
field() { grep -o "\"$1\": *\"[^\"]*\"" | head -n 1 | cut -d '"' -f 4; }

# until_state PATH STATE
until_state() {
  local state
  for _ in $(seq 300); do
    state=$(ask "$1" | field state)
    [[ $state == "$2" ]] && return
    [[ $state =~ ^(rejected|failed|canceled|expired)$ ]] && break
    sleep 0.5
  done
  stop "$1 is $state."
}

for _ in $(seq 120); do
  ask /readyz >/dev/null 2>&1 && break
  sleep 0.5
done
[[ $(ask /readyz) == ok ]] || stop "The service does not become ready."
if [[ $engine != buildah ]]; then
  [[ $("$engine" exec "$container" id -u) != 0 ]] || stop "The service runs as root."
fi
[[ $(curl --silent --output /dev/null --write-out '%{http_code}' "$service/v1/models") == 401 ]] || stop "A request without a key is answered."
model=$(ask '/v1/models?name=sample' --header 'Content-Type: application/octet-stream' --data-binary @samples/moby-dick-lstm.onnx | field id)
until_state "/v1/models/$model" ready
job=$(ask /v1/jobs --header 'Content-Type: application/json' --data "{\"model\":\"$model\",\"target\":{\"ratio\":3.5}}" | field id)
until_state "/v1/jobs/$job" succeeded
grep -q '^condense_jobs_total{method="any",outcome="metTarget"} 1$' < <(ask /metrics) || stop "/metrics does not count the job."
echo "The image works: $engine built it, and it compressed the sample model."
