# Shared by the scripts that build programs of the test bed from Go modules under tests/tools; to be sourced.
#
# Such a script names itself (name), the environment variable that overrides it (variable) and what it builds
# (programs), then calls given, cached, build for each program, and keep. The last line of its standard output is the
# folder of the programs, everything else goes to standard error. They are built once per machine and kept outside the
# tree, in
#   ${DRIFTDECK_CACHE:-${XDG_CACHE_HOME:-~/.cache}/driftdeck}/PREFIX-<checksum of the modules, of the script and of this file>
# with their checksums. Needs Go and the module proxy, nothing else.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export GOWORK=off GO111MODULE=on CGO_ENABLED=0

say() { printf '%s: %s\n' "$name" "$*" >&2; }
fail() { say "$*"; exit 1; }
answer() { printf '%s\n' "$1"; exit 0; }

# given: takes the folder that the variable names as it is, when it is set.
given() {
  local folder=${!variable:-} program
  if [[ -z $folder ]]; then
    command -v go >/dev/null || fail "go is not on the PATH; install Go 1.26, or set $variable to a folder with ${programs[*]}."
    return
  fi
  for program in "${programs[@]}"; do
    [[ -x $folder/$program ]] ||
      fail "$variable is $folder, which has no executable $program; put it there, or unset the variable to have it built."
  done
  say "using $variable=$folder"
  answer "$folder"
}

# cached PREFIX MODULE...: answers with what an earlier run built from these modules, or makes a folder to build into.
cached() {
  local prefix=$1 files=() module
  shift
  for module in "$@"; do files+=("$here/tests/tools/$module"/*.*); done
  local key cache=${DRIFTDECK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/driftdeck}
  key=$(cat "${files[@]}" "$here/.ci/$name" "${BASH_SOURCE[0]}" | sha256sum | cut -c1-16)
  target=$cache/$prefix-$key
  mkdir -p "$cache"
  # One build a machine at a time; who comes second finds it done.
  exec 9>"$target.lock"
  flock -n 9 || { say "another build is under way, waiting for it"; flock 9; }
  if intact; then
    say "found in the cache, checksums hold: $target"
    answer "$target"
  fi
  [[ ! -e $target ]] || { say "$target is incomplete or damaged, building it again"; rm -rf "$target"; }
  work=$(mktemp -d "$target.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  began=$SECONDS
  say "building ${programs[*]} with $(go env GOVERSION) into $target; the first time takes minutes"
}

intact() { [[ -f $target/SHA256SUMS ]] && (cd "$target" && sha256sum --check --quiet --strict SHA256SUMS >&2); }

# build MODULE PACKAGE PROGRAM [LDFLAGS]
build() {
  local start=$SECONDS
  (cd "$here/tests/tools/$1" &&
    nice -n "${DRIFTDECK_BUILD_NICE:-10}" go build -mod=readonly -trimpath -buildvcs=false -ldflags "-s -w ${4:-}" -o "$work/$3" "$2") ||
    fail "building $3 failed; see the lines above."
  say "$3 built in $((SECONDS - start)) s"
}

# keep: notes the checksums, moves the folder to where the next run finds it, and answers with it.
keep() {
  (cd "$work" && sha256sum "${programs[@]}" >SHA256SUMS)
  mv "$work" "$target"
  say "${programs[*]} built in $((SECONDS - began)) s: $target"
  answer "$target"
}
