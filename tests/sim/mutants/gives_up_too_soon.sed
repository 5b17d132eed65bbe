# file: router/on_peer.c
# bug: a router that is cut off from a gateway gives it up by its own clock
/^static bool may_forget/,/^}/s/return link_peer_role(peer) != LINK__ROLE__ROLE_GATEWAY/return true/
