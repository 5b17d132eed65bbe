# file: gateway/arriving.c
# bug: the successor does not know of one of the calls that are under way
/^static void fill(/,/^}/s/i < from->n_calls/i + 1 < from->n_calls/
