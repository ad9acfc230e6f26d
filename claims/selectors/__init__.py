"""Reading claims, conflicts, requests and the inbox."""
