# file: router/pass.c
# bug: two tunnels of one number are mixed up
s/!slice_equal(pass->id, link_slice(tunnel->connection))/pass->id.len == 0/
