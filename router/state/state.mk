# SPDX-License-Identifier: Apache-2.0
#
# What Redis runs for the state of hubs: router/state/*.lua, as text in a header.
state_names := append read put get list remove forget
state_h := $(B)/gen/router/state/scripts.h
$(state_h): deploy/script_text.sh $(state_names:%=router/state/%.lua)
	$(say) TEXT router/state
	$(Q)mkdir -p $(@D) && for n in $(state_names); do $< $$n router/state/$$n.lua; done > $@
$(B)/router/state/state_redis.o: $(state_h)# which no .d names, for it is a system header
