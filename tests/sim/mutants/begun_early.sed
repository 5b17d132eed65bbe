# file: gateway/conn_shard.c
# bug: on_connected is taken to have run when the router has only heard of a connection
s/link_peer_version(gateway_conn_owner(conn)->peer) < BEGAN_VERSION/true/
