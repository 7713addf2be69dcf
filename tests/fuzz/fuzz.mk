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

config_SOURCES = milter/common/conf.c milter/common/conf_keys.c milter/common/conf_load.c milter/common/duration.c milter/common/endpoint.c
content_SOURCES = milter/content/html_text.c milter/content/message_content.c milter/content/plain_text.c
control_SOURCES = milter/sendmail/sendmail_control.c
milter_SOURCES = milter/common/conf_running.c milter/daemon/config_reload.c milter/daemon/login_watch.c milter/notify/mail_compose.c milter/notify/mail_header.c milter/notify/notice_template.c milter/ledger/ledger_read.c milter/common/conf.c milter/ledger/database.c milter/ledger/ledger_transitions.c milter/common/endpoint.c milter/log/log_entry.c milter/daemon/filter.c milter/daemon/mta_macros.c \
	milter/daemon/held_record.c milter/common/conf_keys.c milter/common/conf_load.c milter/common/duration.c milter/daemon/ledger_writer.c milter/ledger/ledger.c milter/metrics/metrics.c milter/metrics/metrics_text.c milter/log/log_fields.c milter/ledger/schema.c milter/daemon/service.c milter/daemon/smtp_reply.c

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
