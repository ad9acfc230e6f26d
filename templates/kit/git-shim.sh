#!/bin/sh
# coord:begin %{name}
# Written by `coord init`; `coord upgrade` rewrites it. Do not edit.
# A hook that stood here before is kept beside this one and runs first.
here=$(cd "$(dirname "$0")" && pwd)
COORD_CHAINED="$here/%{name}.before-coord"
export COORD_CHAINED
common=$(git rev-parse --git-common-dir)
managed="$common"/%{directory}/hooks/%{name}
if [ -x "$managed" ]; then
    exec "$managed" "$@"
fi
if [ -x "$COORD_CHAINED" ]; then
    exec "$COORD_CHAINED" "$@"
fi
exit 0
# coord:end
