# file: proto/link/link.c
# bug: a session goes on although the other side has forgotten it
s/const bool is_resumed = stream->told_session != 0 &&/const bool is_resumed = stream->told_session != 0 ||/
