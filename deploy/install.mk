# SPDX-License-Identifier: Apache-2.0
#
# What goes where: the servers, the tools and headers of those who write hubs, what operators
# run and look at, and the manual. Folders are GNU's; DESTDIR is put before each of them and is never written into
# a file.
prefix ?= /usr/local
exec_prefix ?= $(prefix)
bindir ?= $(exec_prefix)/bin
sbindir ?= $(exec_prefix)/sbin
libdir ?= $(exec_prefix)/lib
includedir ?= $(prefix)/include
datarootdir ?= $(prefix)/share
datadir ?= $(datarootdir)
docdir ?= $(datarootdir)/doc/heliograph
mandir ?= $(datarootdir)/man
pkgconfigdir ?= $(libdir)/pkgconfig
# Where packages of hubs put their files; routers are told the whole path.
moduledir ?= $(libdir)/heliograph/hubs
# GNU's default would be $(prefix)/etc, which nobody looks into on a system's own or local prefix.
sysconfdir ?= $(if $(filter /usr /usr/local,$(prefix)),/etc,$(prefix)/etc)
unitdir ?= $(exec_prefix)/lib/systemd/system
sysusersdir ?= $(exec_prefix)/lib/sysusers.d
tmpfilesdir ?= $(exec_prefix)/lib/tmpfiles.d
bashcompletiondir ?= $(datarootdir)/bash-completion/completions
zshcompletiondir ?= $(datarootdir)/zsh/site-functions

# Their names are words of make and of the shell, and uninstall removes what they say: a blank would make two of one.
install_folders = DESTDIR prefix exec_prefix bindir sbindir libdir includedir datarootdir datadir docdir mandir pkgconfigdir moduledir \
	sysconfdir unitdir sysusersdir tmpfilesdir bashcompletiondir zshcompletiondir
refuse_blanks = $(foreach f,$(install_folders),$(if $(word 2,x$($(f))x),$(error $f=$($(f)): a folder with a blank in its name cannot be installed to)))

INSTALL ?= install
installed_tools = $(B)/heliograph-bench $(hubgen_bin) $(hubtest_bin)
installed_servers = $(filter-out $(installed_tools),$(bins))

# router/hub.h and all that it includes, by the paths that they include each other by.
hub_headers = $(sort $(shell $(CC) $(base_flags) -MM router/hub.h | tr ' \\' '\n\n' | grep '[.]h$$'))
hub_api_version = $(shell sed -n 's/^\#define HUB_API_VERSION //p' router/*.h)

# Beside the pages of the manual: the documentation, and the example that authors copy. Links
# are as in the tree, but that README.md is in one folder with docs/*, and headers are elsewhere.
doc_pages = README.md CHANGELOG.md SECURITY.md $(wildcard docs/*.md)
doc_files = LICENSE $(wildcard docs/*.svg docs/*.png)
doc_decisions = $(wildcard docs/decisions/*.md)
# For operators: scripts, examples of proxies, rules and dashboards, as they are in deploy/.
data_files = $(wildcard deploy/scripts/*.sh deploy/edge/* deploy/monitoring/*)
data_dirs = $(sort $(patsubst %/,%,$(dir $(data_files:deploy/%=%))))
doc_example = $(addprefix docs/examples/poll/,Makefile README.md poll.c poll.hub poll.txt)

# ---- the manual: its tables are what the programs say of themselves
manual_in := $(sort $(wildcard docs/man/*.[1-9]))
manual := $(manual_in:docs/%=$(B)/%)
$(manual): $(B)/man/%: docs/man/% docs/man.sh VERSION $(bins) $(wildcard router/hub*.h)
	$(say) MAN $* && mkdir -p $(@D)
	$(Q)docs/man.sh $< $(B) > $@
.PHONY: manual lint-manual
manual: $(manual) ## the manual pages, in build/<mode>/man/
lint: lint-manual
lint-manual: $(manual) | deps-lint
	$(say) MANDOC '$(words $(manual)) pages'
	@mandoc -Tlint -W warning $(manual)

# ---- for hub authors
$(B)/heliograph-hub.pc: deploy/heliograph-hub.pc.in VERSION FORCE
	@mkdir -p $(@D) && sed -e 's,@prefix@,$(prefix),' -e 's,@bindir@,$(bindir),' \
		-e 's,@includedir@,$(includedir),' -e 's,@moduledir@,$(moduledir),' \
		-e 's,@api_version@,$(hub_api_version),' -e "s,@version@,$$(cat VERSION)," $< > $@

# ---- services: units that name the folders installed to, and configurations to begin with
services := $(sort $(wildcard deploy/systemd/*.in deploy/conf/*.conf))
services_made := $(services:deploy/%=$(B)/service/%)
units_made = $(filter %.service.in,$(services_made))
confs_made = $(filter $(B)/service/conf/%,$(services_made))
$(services_made): $(B)/service/%: deploy/% FORCE
	@mkdir -p $(@D) && sed -e 's,@sbindir@,$(sbindir),g' -e 's,@sysconfdir@,$(sysconfdir),g' -e 's,@docdir@,$(docdir),g' $< > $@

# ---- completion: of what the programs say of themselves
completion_bash := $(bins:$(B)/%=$(B)/completion/bash/%) $(hubgen_bin:$(B)/%=$(B)/completion/bash/%)
completion_zsh = $(completion_bash:$(B)/completion/bash/%=$(B)/completion/zsh/_%)
$(completion_bash): $(B)/completion/bash/%: $(B)/% deploy/completion.sh
	@mkdir -p $(@D) && deploy/completion.sh bash $* $(B) > $@
$(completion_zsh): $(B)/completion/zsh/_%: $(B)/% deploy/completion.sh
	@mkdir -p $(@D) && deploy/completion.sh zsh $* $(B) > $@

# ---- everything
install: $(bins) $(manual) $(B)/heliograph-hub.pc $(services_made) $(completion_bash) $(completion_zsh) ## into DESTDIR, prefix: programs, services, headers for hubs, manual
	$(refuse_blanks)$(INSTALL) -d $(addprefix $(DESTDIR),$(bindir) $(sbindir) $(docdir)/decisions $(docdir)/examples/poll $(docdir)/examples/systemd $(pkgconfigdir) $(moduledir) \
		$(data_dirs:%=$(datadir)/heliograph/%) $(unitdir) $(sysusersdir) $(tmpfilesdir) $(sysconfdir)/heliograph $(bashcompletiondir) $(zshcompletiondir) \
		$(sort $(dir $(hub_headers:%=$(includedir)/heliograph/%) $(foreach m,$(manual),$(mandir)/man$(subst .,,$(suffix $m))/))))
	$(INSTALL) -m 755 $(installed_servers) $(DESTDIR)$(sbindir)
	$(INSTALL) -m 755 $(installed_tools) $(DESTDIR)$(bindir)
	@for h in $(hub_headers); do $(INSTALL) -m 644 $$h $(DESTDIR)$(includedir)/heliograph/$$h || exit 1; done
	@for m in $(manual); do $(INSTALL) -m 644 $$m $(DESTDIR)$(mandir)/man$${m##*.}/ || exit 1; done
	$(INSTALL) -m 644 $(B)/heliograph-hub.pc $(DESTDIR)$(pkgconfigdir)
	@for u in $(units_made); do f=$${u##*/} && $(INSTALL) -m 644 $$u $(DESTDIR)$(unitdir)/$${f%.in} || exit 1; done
	$(INSTALL) -m 644 deploy/systemd/heliograph.target $(DESTDIR)$(unitdir)
	$(INSTALL) -m 644 deploy/systemd/heliograph.sysusers $(DESTDIR)$(sysusersdir)/heliograph.conf
	$(INSTALL) -m 644 deploy/systemd/heliograph.tmpfiles $(DESTDIR)$(tmpfilesdir)/heliograph.conf
	$(INSTALL) -m 644 $(B)/service/systemd/credentials.conf.in $(DESTDIR)$(docdir)/examples/systemd/credentials.conf
	@for c in $(confs_made); do $(INSTALL) -m 644 $$c $(DESTDIR)$(sysconfdir)/heliograph/$${c##*/}.example || exit 1; done
	$(INSTALL) -m 644 $(completion_bash) $(DESTDIR)$(bashcompletiondir)
	$(INSTALL) -m 644 $(completion_zsh) $(DESTDIR)$(zshcompletiondir)
	$(INSTALL) -m 644 $(doc_files) $(DESTDIR)$(docdir)
	$(INSTALL) -m 644 $(doc_example) $(DESTDIR)$(docdir)/examples/poll
	@for f in $(data_files); do m=644; ! [ -x $$f ] || m=755; \
		$(INSTALL) -m $$m $$f $(DESTDIR)$(datadir)/heliograph/$${f#deploy/} || exit 1; done
	@page() { deploy/installed_page.sh "$$1" $(docdir) $(datadir) $(includedir) > "$$2" && chmod 644 "$$2"; }; \
		for p in $(doc_pages); do page $$p $(DESTDIR)$(docdir)/$${p##*/} || exit 1; done; \
		for p in $(doc_decisions) docs/examples/poll/README.md; do page $$p $(DESTDIR)$(docdir)/$${p#docs/} || exit 1; done; \
		page deploy/monitoring/README.md $(DESTDIR)$(datadir)/heliograph/monitoring/README.md

formatted += docs/examples/poll/poll.c

# An installation of its own, for the tests of what is built against one.
sdk := $(B)/sdk/.installed
$(sdk): $(bins) $(manual) deploy/heliograph-hub.pc.in deploy/install.mk $(wildcard router/hub*.h proto/base/*.h proto/wire/*.h) $(doc_pages) $(doc_decisions) $(doc_example) $(data_files) deploy/installed_page.sh
	$(say) INSTALL $(@D) && rm -rf $(@D)
	@$(MAKE) install DESTDIR= prefix=$(CURDIR)/$(@D) > $(B)/sdk.log || { cat $(B)/sdk.log; exit 1; }
	@touch $@

# And one as on a machine of its own, for tests of services.
staged := $(B)/staged/.installed
$(staged): $(sdk) $(services) deploy/completion.sh
	$(say) INSTALL $(@D) && rm -rf $(@D)
	@$(MAKE) install DESTDIR=$(CURDIR)/$(@D) prefix=/usr/local > $(B)/staged.log || { cat $(B)/staged.log; exit 1; }
	@touch $@

doc_installed = $(notdir $(doc_pages) $(doc_files)) $(doc_decisions:docs/%=%) $(doc_example:docs/%=%) examples/systemd/credentials.conf

uninstall: ## what install put there; folders that others may share stay
	$(refuse_blanks)rm -f $(installed_servers:$(B)/%=$(DESTDIR)$(sbindir)/%) $(installed_tools:$(B)/%=$(DESTDIR)$(bindir)/%) \
		$(foreach m,$(manual),$(DESTDIR)$(mandir)/man$(subst .,,$(suffix $m))/$(notdir $m)) \
		$(DESTDIR)$(pkgconfigdir)/heliograph-hub.pc $(patsubst $(B)/service/systemd/%.in,$(DESTDIR)$(unitdir)/%,$(units_made)) \
		$(DESTDIR)$(unitdir)/heliograph.target $(DESTDIR)$(sysusersdir)/heliograph.conf $(DESTDIR)$(tmpfilesdir)/heliograph.conf \
		$(patsubst $(B)/service/conf/%,$(DESTDIR)$(sysconfdir)/heliograph/%.example,$(confs_made)) \
		$(patsubst $(B)/completion/bash/%,$(DESTDIR)$(bashcompletiondir)/%,$(completion_bash)) \
		$(patsubst $(B)/completion/zsh/%,$(DESTDIR)$(zshcompletiondir)/%,$(completion_zsh)) \
		$(doc_installed:%=$(DESTDIR)$(docdir)/%) $(data_files:deploy/%=$(DESTDIR)$(datadir)/heliograph/%)
	rm -rf $(DESTDIR)$(includedir)/heliograph
	@for d in decisions examples/poll examples/systemd examples .; do ! [ -d $(DESTDIR)$(docdir)/$$d ] || \
		rmdir --ignore-fail-on-non-empty $$(cd $(DESTDIR)$(docdir)/$$d && pwd) || exit 1; done
	@for d in $(data_dirs) .; do ! [ -d $(DESTDIR)$(datadir)/heliograph/$$d ] || \
		rmdir --ignore-fail-on-non-empty $$(cd $(DESTDIR)$(datadir)/heliograph/$$d && pwd) || exit 1; done
