# Builds the fuzz targets with clang and libFuzzer, and the library with them.  Called by
# `make fuzz`, in the build directory, with the flags that configure found:
#
#     FUZZ_CC  FUZZ_CPPFLAGS  FUZZ_LIBS  SRCDIR  LIBRARY  TARGETS
#     CONFIG_SOURCES  CONTENT_SOURCES  CONTROL_SOURCES  MILTER_SOURCES  MILTER_LIBRARIES

FUZZ_FLAGS = -DHAVE_CONFIG_H -I. -I$(SRCDIR) -DSYSCONFDIR='"/etc"' -DLOCALSTATEDIR='"/var"' \
	-DG_LOG_DOMAIN='"rcptguard"' -std=gnu11 -O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=undefined -Wall -Wextra -Werror=implicit-function-declaration
INSTRUMENT = -fsanitize=fuzzer-no-link,address,undefined
OUT = build-fuzz

vpath %.c $(SRCDIR)

objects = $(patsubst %.c,$(OUT)/%.o,$(filter %.c,$(1)))
targets = $(addprefix $(OUT)/fuzz-,$(TARGETS))

# What each target needs beside the library and itself, and what `milter` needs of the other libraries.
own = $(filter-out tests/fuzz/%,$(1))
config_SOURCES = $(call own,$(CONFIG_SOURCES))
content_SOURCES = $(call own,$(CONTENT_SOURCES))
control_SOURCES = $(call own,$(CONTROL_SOURCES))
milter_SOURCES = $(call own,$(MILTER_SOURCES) $(MILTER_LIBRARIES))

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
