# file: gateway/handover.c
# bug: a client that goes over is still read
/^enum err handover_start/,/^}/s/conn_pause(conn, CONN_PAUSE_MOVING);//
