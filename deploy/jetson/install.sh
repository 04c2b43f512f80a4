#!/usr/bin/env bash
# Installs Eyeline as a systemd service on an NVIDIA Jetson (JetPack 6), from a checkout of the repository.
# Safe to run again, also to update: it skips what is in place and never overwrites the configuration.
#
#   sudo deploy/jetson/install.sh [--dry-run] [--root DIR]
#
# --dry-run   print what would be done, change nothing
# --root DIR  install below DIR instead of / (to prepare an image); the service is not enabled
set -euo pipefail

say() { printf 'install: %s\n' "$*"; }
fail() {
  printf 'install: %s\n' "$*" >&2
  exit 1
}

dry_run=''
root=''
while (($# > 0)); do
  case "$1" in
    --dry-run) dry_run='yes' ;;
    --root)
      root="${2:-}"
      [ -d "$root" ] || fail "--root needs a directory"
      root="${root%/}"
      shift
      ;;
    -h | --help)
      sed -n '2,9s/^# \{0,1\}//p' "$0"
      exit 0
      ;;
    *)
      printf "install: unknown argument '%s' (try --help)\n" "$1" >&2
      exit 2
      ;;
  esac
  shift
done

source_dir=$(cd "$(dirname "$0")/../.." && pwd)
app="$root/opt/eyeline"
state="$root/var/lib/eyeline"
gpu="$root/opt/eyeline-onnxruntime"

# Prints a command and, unless this is a dry run, runs it.
run() {
  local shown
  printf -v shown ' %q' "$@"
  printf '+%s\n' "$shown"
  [ -n "$dry_run" ] || "$@"
}

# put_file PATH MODE OWNER: makes PATH hold standard input, unless it does.
put_file() {
  local path="$1" mode="$2" owner="$3" text
  text=$(cat)
  if [ -f "$path" ] && [ "$(cat "$path")" = "$text" ]; then return; fi
  printf '+ write %s (%s, %s)\n' "$path" "$mode" "$owner"
  if [ -n "$dry_run" ]; then return; fi
  printf '%s\n' "$text" | install -D -m "$mode" /dev/stdin "$path"
  chown "$owner" "$path"
}

# put_folder PATH MODE OWNER
put_folder() {
  if [ -d "$1" ]; then return; fi
  run install -d -m "$2" "$1"
  run chown "$3" "$1"
}

# --- machine ----------------------------------------------------------------------------------------------------
[ -n "$dry_run" ] || [ "$(id -u)" -eq 0 ] || fail 'run as root: sudo deploy/jetson/install.sh'
if [ -r /etc/nv_tegra_release ]; then
  say "Jetson Linux: $(head -n 1 /etc/nv_tegra_release)"
else
  say "no Jetson ($(uname -m)): going on, without hardware decoding and GPU"
fi
command -v node >/dev/null || fail 'Node.js 20.17 or later is needed: https://nodejs.org/en/download (arm64)'
node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 17) ? 0 : 1)' ||
  fail "Node.js $(node --version) is too old: 20.17 or later is needed"
case "$(command -v node)" in
  /usr/bin/* | /usr/local/bin/*) ;;
  *) say "warning: systemd does not find $(command -v node): install Node.js in /usr or /usr/local" ;;
esac

# --- Debian packages; on a Jetson libopencv-dev is NVIDIA's build -----------------------------------------------
packages=(
  build-essential python3 pkg-config rsync ca-certificates libopencv-dev libsystemd-dev ffmpeg
  gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad
)
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
if ((${#missing[@]} > 0)); then
  run apt-get update
  run env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"
fi

# --- program ----------------------------------------------------------------------------------------------------
if [ "$source_dir" != "$app" ]; then
  put_folder "$app" 755 root:root
  run rsync -a --delete --chown=root:root --exclude=/node_modules --exclude=/dist --exclude=/data --exclude=/.git \
    --exclude=/.cache --exclude=/native/build "$source_dir/" "$app/"
fi
# The add-on compiles against the system's OpenCV on all cores; nothing is fetched from outside the npm registry.
addon_env=(env OPENCV4NODEJS_DISABLE_AUTOBUILD=1 ONNXRUNTIME_NODE_INSTALL=skip JOBS=max "CXXFLAGS=-O1 -w")
mapfile -t opencv < <("$source_dir/native/opencv-view.sh" ${dry_run:+--dry-run} "$app/.cache/opencv")
addon_env+=("${opencv[@]}")
prefix=$(dirname "$(dirname "$(node -p process.execPath)")")
if [ -f "$prefix/include/node/node.h" ]; then addon_env+=("npm_config_nodedir=$prefix"); fi
addon="$app/node_modules/@u4/opencv4nodejs/build/Release/opencv4nodejs.node"
stamp="$app/node_modules/.eyeline-install"
wanted="$(node -p 'process.versions.modules + process.arch') $(cksum <"$source_dir/package-lock.json")"
wanted+=" $(cat "$source_dir"/native/opencv-view.sh "$source_dir"/native/opencv/*.h "$source_dir"/native/opencv/opencv2/*.hpp | cksum)"
wanted+=" OpenCV $(pkg-config --modversion opencv4 2>/dev/null || echo unknown), ${#opencv[@]} settings"
if [ ! -f "$addon" ] || [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$wanted" ]; then
  say 'npm packages: compiling the OpenCV add-on takes 2 to 10 minutes'
  run "${addon_env[@]}" npm --prefix "$app" ci --no-audit --no-fund --foreground-scripts
  # An npm that asks before it runs install scripts leaves the add-ons unbuilt.
  if [ -z "$dry_run" ] && [ ! -f "$addon" ]; then
    run "${addon_env[@]}" npm --prefix "$app" rebuild --foreground-scripts
    [ -f "$addon" ] || fail 'the OpenCV add-on was not built: see the messages above'
  fi
  put_file "$stamp" 644 root:root <<<"$wanted"
fi
run "${addon_env[@]}" npm --prefix "$app" run --silent native ||
  say 'warning: native/ could not be compiled: each camera takes 70 MB more'
run npm --prefix "$app" run --silent build

# A GPU build of ONNX Runtime kept outside node_modules, so that updates do not lose it (README.md tells how).
if [ -d "$gpu" ]; then
  version=$(node -p 'require(process.argv[1]).packages["node_modules/onnxruntime-node"].version' "$source_dir/package-lock.json")
  if [ "$(cat "$gpu/VERSION" 2>/dev/null)" = "$version" ]; then
    run rsync -a --exclude=/VERSION "$gpu/" "$app/node_modules/onnxruntime-node/bin/napi-v6/linux/arm64/"
  else
    say "warning: $gpu is not ONNX Runtime $version and was not used: build it again"
  fi
fi

# --- user, folders, configuration -------------------------------------------------------------------------------
if ! getent passwd eyeline >/dev/null; then
  run useradd --system --user-group --home-dir /var/lib/eyeline --no-create-home --shell /usr/sbin/nologin eyeline
fi
for group in video render; do
  if ! getent group "$group" >/dev/null; then
    run groupadd --system "$group"
  fi
  if ! id -nG eyeline 2>/dev/null | tr ' ' '\n' | grep -qx "$group"; then
    run usermod --append --groups "$group" eyeline
  fi
done
put_folder "$state" 700 eyeline:eyeline
put_folder "$root/etc/eyeline" 750 root:eyeline
config="$root/etc/eyeline/eyeline.yaml"
if [ -e "$config" ]; then
  say "kept: $config"
else
  put_file "$config" 640 root:eyeline < <(
    sed -e '1s#=eyeline.schema.json#=/opt/eyeline/config/eyeline.schema.json#' \
      -e 's#^  dir: data/models$#  dir: /var/lib/eyeline/models#' \
      -e 's#^  engineCache: data/engines$#  engineCache: /var/lib/eyeline/engines#' \
      -e 's#^  calibration: data/calibration.json$#  calibration: /var/lib/eyeline/calibration.json#' \
      -e 's#^  file: data/gallery.sqlite$#  file: /var/lib/eyeline/gallery.sqlite#' \
      -e 's#^  file: data/visitors.sqlite$#  file: /var/lib/eyeline/visitors.sqlite#' \
      -e 's#^  bufferFile: data/events.sqlite$#  bufferFile: /var/lib/eyeline/events.sqlite#' \
      "$source_dir/config/eyeline.yaml"
  )
fi

# --- command and service ----------------------------------------------------------------------------------------
put_file "$root/usr/local/bin/eyeline" 755 root:root <<'WRAPPER'
#!/bin/sh
# Eyeline's commands as the service's user, with the service's configuration.
export EYELINE_CONFIG="${EYELINE_CONFIG:-/etc/eyeline/eyeline.yaml}"
if [ "$(id -un)" = eyeline ]; then exec node /opt/eyeline/dist/main.js "$@"; fi
if [ "$(id -u)" -ne 0 ]; then exec sudo -u eyeline env EYELINE_CONFIG="$EYELINE_CONFIG" node /opt/eyeline/dist/main.js "$@"; fi
exec runuser -u eyeline -- node /opt/eyeline/dist/main.js "$@"
WRAPPER
put_file "$root/etc/systemd/system/eyeline.service" 644 root:root <"$source_dir/deploy/jetson/eyeline.service"
if [ -z "$root" ]; then
  run systemctl daemon-reload
  run systemctl enable eyeline.service
  run /usr/local/bin/eyeline models pull
fi

say 'done. Next: set your cameras and broker in /etc/eyeline/eyeline.yaml, then'
say '  eyeline check-config && eyeline doctor && sudo systemctl restart eyeline'
