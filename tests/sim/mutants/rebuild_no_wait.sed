# file: router/rebuild.c
# bug: a router that starts waits for nobody
/^void rebuild_init/,/^}/s/router->metrics.rebuilding = 1;/rebuild->is_done = true;/
