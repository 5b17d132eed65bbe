# file: gateway/forward.c
# bug: a poll that is asked again may open a new connection in the place of a lost one
s/request->may_claim = false;//
