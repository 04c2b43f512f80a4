#!/usr/bin/env bash
# Makes FOLDER a view of the system's OpenCV with only the modules Eyeline uses, and prints the environment in which the
# add-on @u4/opencv4nodejs compiles against it, one NAME=VALUE a line. Prints none, and says why, where it cannot: the
# add-on then takes every module it finds, which works too, but compiles longer and loads Qt and more into each process.
#
#   native/opencv-view.sh [--dry-run] FOLDER     --dry-run makes no folder
set -euo pipefail

dry_run=''
if [ "${1:-}" = --dry-run ]; then
  dry_run='yes'
  shift
fi
folder="${1:?FOLDER is missing}"
here=$(cd "$(dirname "$0")" && pwd)
modules=(core imgproc imgcodecs videoio)

# first_with NAME FOLDER...: the first folder that holds NAME.
first_with() {
  local name="$1" folder
  shift
  for folder in "$@"; do
    if [ -n "$folder" ] && [ -e "$folder/$name" ]; then
      printf '%s\n' "$folder"
      return
    fi
  done
}

ask() { pkg-config "$@" opencv4 2>/dev/null || true; }
multiarch=$(cc -print-multiarch 2>/dev/null || true)
said=$(ask --cflags-only-I)
said=${said#-I}
# Whoever sets these means it; then what OpenCV says of itself, the places of Debian, Ubuntu and JetPack, a build of one's own.
headers=$(first_with opencv2/core.hpp "${OPENCV_INCLUDE_DIR:-}" "${said%%[[:space:]]*}" /usr/include/opencv4 /usr/local/include/opencv4)
libraries=$(first_with libopencv_core.so "${OPENCV_LIB_DIR:-}" "$(ask --variable=libdir)" "/usr/lib/$multiarch" /usr/lib /usr/local/lib)

for module in "${modules[@]}"; do
  if [ -z "$headers" ] || [ ! -e "$libraries/libopencv_$module.so" ]; then
    echo "opencv-view: no libopencv_$module.so in ${libraries:-any folder looked at}, headers in ${headers:-none}:" \
      'compiling against all modules of OpenCV' >&2
    exit 0
  fi
done

if [ -z "$dry_run" ]; then
  rm -rf "$folder"
  mkdir -p "$folder/include/opencv2" "$folder/lib"
  cp "$here"/opencv/*.h "$folder/include/"
  cp "$here"/opencv/opencv2/*.hpp "$folder/include/opencv2/"
  ln -s "$headers" "$folder/include/opencv4"
  for module in "${modules[@]}"; do
    ln -s "$libraries/libopencv_$module".so* "$folder/lib/"
  done
  folder=$(cd "$folder" && pwd)
fi
echo "OPENCV_INCLUDE_DIR=$folder/include"
echo "OPENCV_LIB_DIR=$folder/lib"
