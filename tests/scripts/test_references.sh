#!/usr/bin/env bash
# Usage: test_references.sh SOURCE_DIR. Every source that is cited as [Name2024] has its entry.
set -euo pipefail

cd "$1"
missing=()
while read -r key; do
  if ! grep -q "^@[a-z]*{$key,\$" docs/references.bib; then missing+=("$key"); fi
done < <(find . -path ./build -prune -o -path ./out -prune -o -path ./.git -prune -o \
  \( -name '*.hpp' -o -name '*.cpp' -o -name '*.md' \) -type f -print0 |
  xargs -0 grep -hoE '\[[A-Z][A-Za-z]+(19|20)[0-9]{2}[a-z]?[],]' | tr -d '[],' | sort -u)
if [[ ${#missing[@]} -gt 0 ]]; then
  printf 'cited, but not in docs/references.bib: %s\n' "${missing[*]}" >&2
  exit 1
fi
