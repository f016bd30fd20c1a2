#!/usr/bin/env bash
# Builds tests/consumer/find_package/main.cpp against the installed xbar by pkg-config alone and runs
# it. Also links one library at a time, so that none leaves out what it needs.
#   pkg_config.sh COMPILER FLAGS PREFIX MAIN_CPP WORK
set -euo pipefail
compiler=$1 flags=$2 prefix=$3 main=$4 work=$5
if ! command -v pkg-config >/dev/null; then
  echo "skipped: pkg-config is not there"
  exit 77
fi
PKG_CONFIG_PATH=$(find "$prefix" -type d -name pkgconfig)
export PKG_CONFIG_PATH
rm -rf "$work"
mkdir -p "$work"
read -ra extra <<<"$flags"

read -ra words <<<"$(pkg-config --static --cflags --libs xbar-solver)"
"$compiler" -std=c++20 "${extra[@]}" "$main" -o "$work/consumer" "${words[@]}"
"$work/consumer"

# The whole of a library, so that nothing it refers to may be missing.
echo 'int main() {}' >"$work/empty.cpp"
for file in "$PKG_CONFIG_PATH"/xbar-*.pc; do
  package=$(basename "$file" .pc)
  read -ra words <<<"$(pkg-config --static --cflags --libs "$package")"
  whole=()
  for word in "${words[@]}"; do
    if [[ $word == "-l${package//-/_}" ]]; then
      whole+=(-Wl,--whole-archive "$word" -Wl,--no-whole-archive)
    else
      whole+=("$word")
    fi
  done
  "$compiler" -std=c++20 "${extra[@]}" "$work/empty.cpp" -o "$work/empty" "${whole[@]}"
  echo "linked: $package"
done
pkg-config --exists --print-errors xbar
