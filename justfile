# What CI runs, by name. Every recipe is one script of .ci, and .ci/run runs them all; just itself is a convenience.

# Show the recipes.
default:
    @just --list

# Run the tests that need nothing but Rust.
test:
    .ci/test

# Run the cases from Argo CD's, Flux's and Kubernetes' own tests.
conformance:
    .ci/conformance

# Run the whole story on real API servers (root; the first time builds them).
real:
    .ci/real

# Check layout and lints.
lint:
    .ci/lint

# Check licences, bans and sources of the dependencies.
deny:
    .ci/deny

# Run everything, as CI does.
ci:
    .ci/run

# Open the console on the embedded fleet.
demo *ARGS:
    cargo run --release -- demo {{ ARGS }}

# Make the pictures under screenshots/ anew, with the program of this tree.
screenshots:
    .ci/screenshots
