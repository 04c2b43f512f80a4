#!/usr/bin/env bash
# Installs what Eyeline needs and is not there yet: Debian packages, npm packages (one native add-on is compiled),
# the built program, models. Safe to run again: it skips what is in place.
#
#   scripts/setup.sh [--demo | --test]
#
# --demo and --test add what the demo and the tests need: a GStreamer RTSP server, mosquitto and the like.
set -euo pipefail
cd "$(dirname "$0")/.."

purpose='run'
for argument in "$@"; do
  case "$argument" in
    --demo) purpose='demo' ;;
    --test) purpose='test' ;;
    *)
      echo "setup: unknown argument '$argument' (try --demo or --test)" >&2
      exit 2
      ;;
  esac
done

say() { printf 'setup: %s\n' "$*"; }
fail() {
  printf 'setup: %s\n' "$*" >&2
  exit 1
}

command -v node >/dev/null || fail 'Node.js 20.17 or later is needed: https://nodejs.org or the nodejs package of your system.'
node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 17) ? 0 : 1)' ||
  fail "Node.js $(node --version) is too old: 20.17 or later is needed."

# --- Debian packages --------------------------------------------------------------------------------------------
packages=(build-essential python3 pkg-config libopencv-dev ffmpeg libsystemd-dev ca-certificates)
rtsp=(python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad)
case "$purpose" in
  demo) packages+=("${rtsp[@]}") ;;
  test) packages+=("${rtsp[@]}" mosquitto openssl procps shellcheck postgresql) ;;
esac

missing=()
if command -v dpkg-query >/dev/null; then
  for package in "${packages[@]}"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
  done
else
  say "this is not Debian or Ubuntu: install these yourself, under your system's names: ${packages[*]}"
fi
if ((${#missing[@]} > 0)); then
  root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "as root, run: apt-get install -y --no-install-recommends ${missing[*]}"
    root=(sudo)
  fi
  say "installing Debian packages, 1 to 5 minutes: ${missing[*]}"
  log=$(mktemp)
  {
    "${root[@]}" apt-get update &&
      "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"
  } >"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    fail "apt-get failed; the whole log is in $log"
  }
  rm -f "$log"
fi

# --- npm packages -----------------------------------------------------------------------------------------------
# The add-on compiles against the system's OpenCV; nothing is downloaded outside the registry.
export OPENCV4NODEJS_DISABLE_AUTOBUILD=1 ONNXRUNTIME_NODE_INSTALL=skip JOBS=max
# It only hands calls on to OpenCV: optimising it gains nothing and takes the compiler twice as long.
export CXXFLAGS="${CXXFLAGS:--O1 -w}"
# Of OpenCV it takes the modules we use, where there is a way to choose them.
mapfile -t opencv < <(native/opencv-view.sh .cache/opencv)
for setting in "${opencv[@]}"; do export "${setting?}"; done
# Headers that came with Node itself, so that node-gyp has nothing to fetch.
prefix=$(dirname "$(dirname "$(node -p process.execPath)")")
if [ -f "$prefix/include/node/node.h" ]; then export npm_config_nodedir="$prefix"; fi
addon=node_modules/@u4/opencv4nodejs/build/Release/opencv4nodejs.node
stamp=node_modules/.eyeline-setup
# What the compiled add-ons depend on.
wanted="$(node -p 'process.versions.modules + process.arch') $(cksum <package-lock.json)"
wanted+=" $(cat native/opencv-view.sh native/opencv/*.h native/opencv/opencv2/*.hpp | cksum)"
wanted+=" OpenCV $(pkg-config --modversion opencv4 2>/dev/null || echo unknown), ${#opencv[@]} settings"
if [ ! -f "$addon" ] || [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$wanted" ]; then
  say "installing npm packages and compiling the OpenCV add-on on $(nproc) cores, 1 to 5 minutes"
  log=$(mktemp)
  npm ci --no-audit --no-fund --foreground-scripts >"$log" 2>&1 || {
    grep -m 20 'error' "$log" >&2 || tail -n 20 "$log" >&2
    fail "npm ci failed; the whole log is in $log"
  }
  # An npm that asks before it runs install scripts leaves the add-ons unbuilt.
  [ -f "$addon" ] || npm rebuild --foreground-scripts >>"$log" 2>&1 || true
  [ -f "$addon" ] || {
    tail -n 30 "$log" >&2
    fail "the OpenCV add-on was not built; the whole log is in $log"
  }
  rm -f "$log"
  echo "$wanted" >"$stamp"
fi
native=native/build/Release/release_pages.node
if [ ! -f "$native" ] || [ -n "$(find native/*.c native/binding.gyp -newer "$native" -print -quit)" ]; then
  log=$(mktemp)
  if npm run --silent native >"$log" 2>&1; then
    rm -f "$log"
  else
    say "native/ could not be compiled, so each camera takes 70 MB more; the log is in $log"
  fi
fi

# --- program and models -----------------------------------------------------------------------------------------
if [ ! -f dist/main.js ] || [ -n "$(find src tsconfig.build.json package.json -newer dist/main.js -print -quit)" ]; then
  say 'building the program'
  npm run --silent build
fi
node dist/main.js models verify >/dev/null 2>&1 || {
  say 'fetching the models from the npm registry, about 15 MB'
  node dist/main.js models pull
}
say 'ready'
