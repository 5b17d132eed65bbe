# file: gateway/queue.c
# bug: what waits for a client that is gone is not freed
/^void queue_fini/,/^}/s/uint32_t i = 0;/uint32_t i = 1;/
