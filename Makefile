# dialtone. Meson does the work; this page only says in which order.
#
#   make                 install what is missing from the distribution, build build/dialtone
#   make run [ONCE=1]    serve examples/office on loopback and power three virtual phones on
#   make test            every test
#   make sanitize tsan   every test, built with ASan and UBSan, or with TSan
#   make fuzz            libFuzzer on every target, FUZZ_SECONDS each (FUZZ=url: on one)
#   make bench           side by side with dnsmasq, atftpd and nginx (BENCH: options of bench/run)
#   make install         PREFIX, DESTDIR
#   make dist            build/dialtone-VERSION.tar.gz of the last commit, the same bytes every time (SIGN=1: signed)
#
# SETUP=: leaves the machine's packages alone; MESON_FLAGS go to Meson; CC is taken when a folder is set up.
PREFIX ?= /usr/local
FUZZ_SECONDS ?= 60
FUZZ ?= $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
SETUP ?= scripts/setup
MESON_FLAGS ?=
, := ,
SANITIZERS = -Db_lundef=false -Db_sanitize=
export ASAN_OPTIONS ?= detect_stack_use_after_return=1:strict_string_checks=1
export UBSAN_OPTIONS ?= print_stacktrace=1

# $(call build,FOLDER,FLAGS): sets the folder up once, then builds it.
define build
@if [ ! -f $(1)/build.ninja ]; then meson setup $(1) $(2) $(MESON_FLAGS); \
elif [ -n '$(MESON_FLAGS)' ]; then meson configure $(1) $(MESON_FLAGS); fi
@ninja -C $(1)
endef

.PHONY: all run test sanitize tsan clang fuzz bench install dist clean
# Two goals of one command line would wait for each other's apt and Ninja anyway.
.NOTPARALLEL:

all:
	@$(SETUP) build
	$(call build,build)

run: all
	build/dialtone demo --root examples/office $(if $(filter-out 0,$(ONCE)),--once)

test:
	@$(SETUP) build test
	$(call build,build)
	@tests/run build

sanitize:
	@$(SETUP) build test
	$(call build,build-asan,$(SANITIZERS)address$(,)undefined)
	@tests/run build-asan -t 4

tsan:
	@$(SETUP) build test
	$(call build,build-tsan,$(SANITIZERS)thread)
	@tests/run build-tsan -t 8

clang: export CC = clang
clang:
	@$(SETUP) build clang
	$(call build,build-clang)

fuzz: export CC = clang
fuzz:
	@$(SETUP) build clang
	$(call build,build-fuzz,-Dfuzz=true $(SANITIZERS)address$(,)undefined)
	@for target in $(FUZZ); do mkdir -p build-fuzz/corpus/$$target && \
	build-fuzz/tests/fuzz_$$target -max_total_time=$(FUZZ_SECONDS) -print_final_stats=1 \
	-artifact_prefix=build-fuzz/found-$$target- build-fuzz/corpus/$$target tests/fuzz/corpus/$$target || exit 1; done

bench:
	@$(SETUP) build bench
	$(call build,build-bench,--buildtype=release)
	@bench/run --dialtone build-bench/dialtone --load build-bench/bench/load $(BENCH)

install: all
	@meson configure build -Dprefix='$(abspath $(PREFIX))'
	@DESTDIR='$(if $(DESTDIR),$(abspath $(DESTDIR)))' meson install -C build

VERSION = $(shell sed -n "s/^  version: '\(.*\)',/\1/p" meson.build)
TARBALL = build/dialtone-$(VERSION).tar.gz
dist:
	@mkdir -p build
	git archive --format=tar --prefix=dialtone-$(VERSION)/ HEAD | gzip -9n > $(TARBALL)
	$(if $(filter-out 0,$(SIGN)),gpg --armor --detach-sign $(TARBALL))
	@sha256sum $(TARBALL)

clean:
	rm -rf build build-asan build-tsan build-clang build-fuzz build-bench
