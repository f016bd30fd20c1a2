# shellcheck shell=bash
# Shared by the scripts; read with `source`, after `root` is set to the folder of the repository.
: "${root:?}"

# Cores to use: XBAR_JOBS where set, else all that this process may run on.
job_count() { printf '%s' "${XBAR_JOBS:-$(nproc 2>/dev/null || printf 2)}"; }

# stage TITLE COMMAND...: headline, command, time taken. Stops the script if the command fails.
stage() {
  local title=$1 begin=$SECONDS status=0
  shift
  printf '== %s\n' "$title"
  "$@" || status=$?
  if [[ $status -ne 0 ]]; then
    printf '== %s: failed (exit code %d) after %d s\n' "$title" "$status" $((SECONDS - begin)) >&2
    exit "$status"
  fi
  printf '== %s: done in %d s\n' "$title" $((SECONDS - begin))
}

# configure PRESET [-DNAME=VALUE...]: runs CMake only where there is something to do; quiet unless it
# fails. Changed CMakeLists.txt files are noticed by the build itself.
configure() {
  local preset=$1 folder=$root/build/$1 log option same=true
  shift
  if [[ -f $folder/CMakeCache.txt ]] &&
    ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$folder/CMakeCache.txt"; then
    printf '   build/%s was made for another folder; starting afresh\n' "$preset"
    rm -rf -- "$folder"
  fi
  for option in "$@"; do
    option=${option#-D}
    grep -q "^${option%%=*}:[A-Z]*=${option#*=}\$" "$folder/CMakeCache.txt" 2>/dev/null || same=false
  done
  if $same && [[ -f $folder/build.ninja && $folder/build.ninja -nt $root/CMakePresets.json ]]; then
    return 0
  fi
  mkdir -p "$folder"
  log=$folder/configure.log
  if ! (cd "$root" && cmake --preset "$preset" "$@") >"$log" 2>&1; then
    cat "$log" >&2
    return 1
  fi
}

# build PRESET [TARGET...]
build() {
  local preset=$1
  shift
  cmake --build "$root/build/$preset" --parallel "$(job_count)" ${1:+--target "$@"}
}
