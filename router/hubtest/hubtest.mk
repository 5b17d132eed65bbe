# SPDX-License-Identifier: Apache-2.0
#
# heliograph-hubtest: a router for hub authors' tests. The router's own tests stand on its
# stage, too.
hubtest_src := $(sort $(wildcard router/hubtest/*.c))
own_src += $(hubtest_src)
objects += $(call object,$(hubtest_src))
$(B)/libhubtest.a: $(call object,$(filter-out %/main.c,$(hubtest_src)))
	$(Q)rm -f $@ && ar rcsD $@ $^
hubtest_bin := $(B)/heliograph-hubtest
$(hubtest_bin): exports := -Wl,--dynamic-list=router/hub.exports
$(hubtest_bin): private whole := $(B)/librouter.a
$(hubtest_bin): $(B)/router/hubtest/main.o $(B)/libhubtest.a $(B)/librouter.a $(libs)
	$(say) LINK $@
	$(link) $(third_party) -o $@
bins += $(hubtest_bin)
