#!/bin/sh
# Byte code beside the sources, of the Python that Lambda runs: without it every cold start compiles all of it again.
set -eu
folder=$1
version=$2
python=$(sh "$(dirname "$0")/find_python.sh" "$version")
if [ -z "$python" ]; then
  echo "warning: Python $version is not on this machine: the layer is not precompiled, cold starts take about twice as long" >&2
  exit 0
fi
# Never checked against the sources: their times change when they are packed.
"$python" -m compileall -q -j 0 --invalidation-mode unchecked-hash "$folder"
