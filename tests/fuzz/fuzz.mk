# Builds the fuzz targets with clang and libFuzzer, and the library with them.  Called by
# `make fuzz`, in the build directory, with the flags that configure found:
#
#     FUZZ_CC  FUZZ_CPPFLAGS  FUZZ_LIBS  SRCDIR  LIBRARY  TARGETS

FUZZ_FLAGS = -DHAVE_CONFIG_H -I. -I$(SRCDIR) -DSYSCONFDIR='"/etc"' -DLOCALSTATEDIR='"/var"' \
	-DG_LOG_DOMAIN='"rcptguard"' -std=gnu11 -O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=undefined -Wall -Wextra -Werror=implicit-function-declaration
INSTRUMENT = -fsanitize=fuzzer-no-link,address,undefined
OUT = build-fuzz

vpath %.c $(SRCDIR)

objects = $(patsubst %.c,$(OUT)/%.o,$(filter %.c,$(1)))
targets = $(addprefix $(OUT)/fuzz-,$(TARGETS))

config_SOURCES = milter/conf.c milter/conf_keys.c milter/conf_load.c milter/endpoint.c
control_SOURCES = milter/sendmail_control.c
milter_SOURCES = milter/browse.c milter/conf.c milter/database.c milter/decide.c milter/endpoint.c milter/entry.c milter/filter.c milter/macros.c \
	milter/hold.c milter/conf_keys.c milter/conf_load.c milter/keeper.c milter/ledger.c milter/metrics.c milter/metrics_text.c milter/report.c milter/schema.c milter/service.c milter/smtp_reply.c

all: $(targets)
	@:

$(OUT)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC       $@"; $(FUZZ_CC) $(FUZZ_FLAGS) $(INSTRUMENT) $(FUZZ_CPPFLAGS) -MMD -MP -c -o $@ $<

.SECONDEXPANSION:
.SECONDARY:
$(targets): $(OUT)/fuzz-%: $(OUT)/tests/fuzz/fuzz-%.o $(OUT)/tests/fuzz/fuzz.o $(call objects,$(LIBRARY)) $$(call objects,$$($$*_SOURCES))
	@echo "  CCLD     $@"; $(FUZZ_CC) -fsanitize=fuzzer,address,undefined -o $@ $^ $(FUZZ_LIBS)

-include $(shell find $(OUT) -name '*.d' 2>/dev/null)
