# file: gateway/join.c
# bug: a join is done before the owner of the group has the member
/^static enum err join_start/,/^}/s/membership_add(conn, LINK__KIND__KIND_GROUP, group);/membership_add(conn, LINK__KIND__KIND_GROUP, group);\n\t\tjoin_done(join, OK);/
