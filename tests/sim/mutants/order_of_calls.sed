# file: router/hub_queue.c
# bug: the last call of a client that waits runs first
/^void hub_queue_advance/,/^}/s/conn->queue.next/conn->queue.prev/
