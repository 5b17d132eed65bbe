# file: router/pass.c
# bug: two tunnels of one number are mixed up
s/!slice_equal(peer_name(pass->holder), holder) ||/holder.len == 0 ||/
s/!slice_equal(pass->id, link_slice(tunnel->connection))/pass->id.len == 0/
