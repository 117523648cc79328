#!/bin/sh
# Print the path of the Python of a version (3.13) that is on this machine, or nothing. Downloads none.
version=$1
works() { "$1" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$version')" 2>/dev/null; }
for python in "$(command -v "python$version")" "$("${UV:-uv}" python find --no-python-downloads --no-project "$version" 2>/dev/null)" \
  "${PYENV_ROOT:-$HOME/.pyenv}/versions/$version".*/bin/python; do
  if works "$python"; then
    echo "$python"
    exit 0
  fi
done
