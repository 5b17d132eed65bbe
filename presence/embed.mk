# SPDX-License-Identifier: Apache-2.0
#
# Files that become part of the program heliograph-presence: presence/embed.h finds them.
embedded := $(sort $(wildcard presence/openapi.json \
	$(addprefix presence/dashboard/*.,html css js svg png ico json webmanifest woff2)))
embed_c := $(B)/gen/presence/embed.c

# Another list than last time: the table is made again.
$(B)/embedded: FORCE
	@mkdir -p $(@D); f='$(embedded)'; [ "$$f" = "$$(cat $@ 2>/dev/null)" ] || printf '%s\n' "$$f" > $@
$(embed_c): deploy/embed.sh $(embedded) $(B)/embedded
	$(say) EMBED '$(words $(embedded)) files' && mkdir -p $(@D)
	$(Q)deploy/embed.sh presence $(embedded) > $@
$(embed_c:.c=.o): $(embed_c) $(B)/flags
	$(Q)$(CC) $(gen_flags) -c $< -o $@
$(B)/libpresence.a: $(embed_c:.c=.o)
-include $(embed_c:.c=.d)
