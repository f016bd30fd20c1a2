#!/usr/bin/env bash
# Usage: test_get_data.sh GET_DATA SOURCE_DIR CASE. No network: addresses are files or 127.0.0.1.
set -euo pipefail

get_data=$1 source_dir=$2 case=$3
work=$(mktemp -d)
server=''
cleanup() {
  if [[ -n $server ]]; then kill "$server" 2>/dev/null || true; fi
  rm -rf -- "$work"
}
trap cleanup EXIT

die() {
  printf 'failed: %s\n' "$1" >&2
  exit 1
}
skip() {
  printf 'skipped: %s\n' "$1"
  exit 77
}
md5_of() { md5sum -- "$1" | cut -d ' ' -f 1; }

# The "home" of a data set called tiny: two files.
home=$work/home out=$work/out list=$work/list.txt
mkdir -p "$home"
printf 'images' >"$home/images.gz"
printf 'labels' >"$home/labels.gz"
list_from() { # list_from BASE_URL
  printf '# a comment\n\n'
  printf 'tiny images.gz 6 %s keep %s/images.gz\n' "$(md5_of "$home/images.gz")" "$1"
  printf 'tiny labels.gz - %s keep %s/labels.gz\n' "$(md5_of "$home/labels.gz")" "$1"
}
only_expected_files() { # only_expected_files FOLDER NAME..., names in the order of the C locale
  local found folder=$1
  shift
  found=$(find "$folder" -mindepth 1 -printf '%f\n' | LC_ALL=C sort | tr '\n' ' ')
  [[ $found == "${*:+$* }" ]] || die "$folder: found '$found', expected '$*'"
}

case $case in
  keep)
    list_from "file://$home" >"$list"
    "$get_data" --list "$list" tiny "$out"
    cmp "$home/images.gz" "$out/tiny/images.gz"
    cmp "$home/labels.gz" "$out/tiny/labels.gz"
    only_expected_files "$out/tiny" images.gz labels.gz
    # Again, with the home gone: nothing is fetched.
    mv "$home" "$work/elsewhere"
    "$get_data" --list "$list" all "$out" >"$work/log"
    grep -q 'tiny/images.gz: there, checksum right' "$work/log" || die 'second run fetched'
    # A damaged file is noticed.
    mv "$work/elsewhere" "$home"
    printf 'damaged' >"$out/tiny/images.gz"
    "$get_data" --list "$list" tiny "$out"
    cmp "$home/images.gz" "$out/tiny/images.gz"
    # XBAR_DATA names the folder where none is given.
    XBAR_DATA=$work/other "$get_data" --list "$list" tiny
    cmp "$home/labels.gz" "$work/other/tiny/labels.gz"
    # A folder that bears the name of the data set is taken as it is.
    "$get_data" --list "$list" tiny "$work/third/tiny"
    only_expected_files "$work/third/tiny" images.gz labels.gz
    ;;
  unpack)
    mkdir -p "$work/batches"
    printf 'one' >"$work/batches/data_batch_1.bin"
    printf 'two' >"$work/batches/test_batch.bin"
    printf 'text' >"$work/batches/readme.html"
    tar -czf "$home/set.tar.gz" -C "$work" batches
    printf 'tiny set.tar.gz - %s unpack file://%s/set.tar.gz\n' "$(md5_of "$home/set.tar.gz")" \
      "$home" >"$list"
    "$get_data" --list "$list" tiny "$out"
    cmp "$work/batches/test_batch.bin" "$out/tiny/test_batch.bin"
    only_expected_files "$out/tiny" MD5SUMS data_batch_1.bin test_batch.bin
    "$get_data" --list "$list" tiny "$out" >"$work/log"
    grep -q 'tiny: there, checksums right' "$work/log" || die 'second run fetched'
    printf 'damaged' >"$out/tiny/data_batch_1.bin"
    "$get_data" --list "$list" tiny "$out"
    cmp "$work/batches/data_batch_1.bin" "$out/tiny/data_batch_1.bin"
    ;;
  wrong)
    list_from "file://$home" >"$list"
    printf 'labelz' >"$home/labels.gz"
    status=0
    "$get_data" --list "$list" tiny "$out" 2>"$work/errors" || status=$?
    [[ $status -eq 1 ]] || die "exit code $status, expected 1"
    grep -q "labels.gz: expected MD5 .*, got $(md5_of "$home/labels.gz")" "$work/errors" ||
      die 'message names no checksums'
    grep -q 'not fetched: tiny/labels.gz' "$work/errors" || die 'message names no file'
    only_expected_files "$out/tiny" images.gz
    ;;
  mirrors)
    printf 'tiny images.gz 6 %s keep file://%s/absent.gz file://%s/labels.gz file://%s/images.gz\n' \
      "$(md5_of "$home/images.gz")" "$home" "$home" "$home" >"$list"
    "$get_data" --list "$list" tiny "$out"
    cmp "$home/images.gz" "$out/tiny/images.gz"
    only_expected_files "$out/tiny" images.gz
    ;;
  http)
    command -v python3 >/dev/null || skip 'no python3 for the server'
    command -v curl >/dev/null || command -v wget >/dev/null || skip 'neither curl nor wget'
    # Port 0: the system chooses a free one, which the server prints.
    (cd "$home" && exec python3 -u -m http.server --bind 127.0.0.1 0) >"$work/server" 2>&1 &
    server=$!
    for _ in $(seq 100); do
      port=$(sed -n 's/^Serving HTTP on 127\.0\.0\.1 port \([0-9]*\).*/\1/p' "$work/server")
      if [[ -n $port ]]; then break; fi
      sleep 0.1
    done
    [[ -n $port ]] || die "the server did not start: $(cat "$work/server")"
    export no_proxy=127.0.0.1 NO_PROXY=127.0.0.1
    list_from "http://127.0.0.1:$port" >"$list"
    "$get_data" --list "$list" tiny "$out"
    cmp "$home/images.gz" "$out/tiny/images.gz"
    printf 'gone gone.gz - 0 keep http://127.0.0.1:%s/gone.gz\n' "$port" >"$list"
    status=0
    "$get_data" --list "$list" gone "$out" || status=$?
    [[ $status -eq 1 ]] || die "exit code $status for a missing page, expected 1"
    only_expected_files "$out/gone"
    ;;
  arguments)
    for bad in 'minst' '--unknown' 'mnist a b' '--list' '--list /nonexistent'; do
      status=0
      # shellcheck disable=SC2086  # split on purpose
      "$get_data" $bad 2>"$work/errors" || status=$?
      [[ $status -eq 2 ]] || die "exit code $status for '$bad', expected 2"
      [[ -s $work/errors ]] || die "no message for '$bad'"
    done
    status=0
    "$get_data" minst 2>"$work/errors" || status=$?
    grep -q 'unknown data set minst; there is: mnist fashion-mnist cifar10 cifar100 all' "$work/errors" ||
      die "message: $(cat "$work/errors")"
    ;;
  known)
    folder=$source_dir/../shared/data/mnist
    [[ -d $folder ]] || skip "$folder is absent"
    # The training images there are packed anew, so only the other three can agree.
    for file in train-labels-idx1-ubyte.gz t10k-images-idx3-ubyte.gz t10k-labels-idx1-ubyte.gz; do
      read -r _ _ bytes md5 _ < <(grep "^mnist $file " "$source_dir/scripts/data-sets.txt")
      [[ $md5 == "$(md5_of "$folder/$file")" ]] || die "$file: the list has MD5 $md5"
      [[ $bytes == "$(stat -c %s "$folder/$file")" ]] || die "$file: the list has $bytes bytes"
    done
    ;;
  *) die "unknown case $case" ;;
esac
printf 'passed\n'
