# file: gateway/replay.c
# bug: a gateway that was given up keeps its clients
/^void replay_fence_now(/,/^}/s/if (conn->state == CONN_OPEN)/if (conn == NULL)/
