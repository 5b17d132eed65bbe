# file: router/on_peer.c
# bug: a router gives a gateway up that no presence has given up, while none knows all
s/(topology_is_settled(said) &&/(!topology_is_settled(said) ||/
