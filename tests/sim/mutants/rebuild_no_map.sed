# file: router/rebuild.c
# bug: a router that starts goes by its own list of routers although presence is about to tell another
s/ || is_map_due(rebuild))/ || (is_map_due(rebuild) \&\& false))/
