#!/bin/sh
# coord:begin %{name}
# Written by `coord init`; `coord upgrade` rewrites it. Do not edit.
hook=$(command -v coord-hook) || hook=%{fallback}
if [ -x "$hook" ]; then
    exec "$hook" %{name} "$@"
fi
echo "coord: coord-hook is not on PATH; this %{what} is not checked" >&2
if [ "$COORD_PREPUSH_MODE" = enforce ]; then
    exit 1
fi
if [ -n "$COORD_CHAINED" ] && [ -x "$COORD_CHAINED" ]; then
    exec "$COORD_CHAINED" "$@"
fi
exit 0
# coord:end
