# file: router/on_peer.c
# bug: a router that is cut off from a gateway gives it up by its own clock
/^static bool may_forget/,/^}/s/gateway == NULL ||/true ||/
