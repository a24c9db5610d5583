# Shared by the scripts of this folder; to be sourced. Settles where things are and are kept, and times what is done.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

# A service that runs this may know neither its home nor where the installers of Rust and Go put their programs.
export HOME=${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}
export PATH=$PATH:$HOME/.cargo/bin:/usr/local/go/bin

export CI=true CARGO_TERM_COLOR=never GIT_TERMINAL_PROMPT=0 DEBIAN_FRONTEND=noninteractive
# Everything that is worth keeping between runs lies outside the tree.
export DRIFTDECK_CACHE=${DRIFTDECK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/driftdeck}
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$DRIFTDECK_CACHE/target}
mkdir -p "$DRIFTDECK_CACHE" "$CARGO_TARGET_DIR"

say() { printf '== %s\n' "$*"; }
fail() { printf '== FAILED: %s\n' "$*" >&2; exit 1; }

# folder VARIABLE DEFAULT WHAT: sets and exports VARIABLE as the absolute path of an existing folder.
folder() {
  local path=${!1:-$2}
  [[ -d $path ]] || fail "$path does not exist; set $1 to the folder with $3."
  path=$(cd "$path" && pwd)
  export "$1=$path"
}

# passed LOG: how many tests the log of a `cargo test` says have passed.
passed() { awk '/^test result: / { for (i = 2; i <= NF; i++) if ($i == "passed;") sum += $(i - 1) } END { print sum + 0 }' "$1"; }
