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

config_SOURCES = milter/common/conf.c milter/common/conf_keys.c milter/common/conf_load.c milter/common/conninfo.c milter/common/duration.c milter/common/endpoint.c
content_SOURCES = milter/content/html_text.c milter/content/message_content.c milter/content/plain_text.c
control_SOURCES = milter/sendmail/sendmail_control.c
milter_SOURCES = \
	milter/common/conf.c \
	milter/common/conf_keys.c \
	milter/common/conf_load.c \
	milter/common/conf_running.c \
	milter/common/conninfo.c \
	milter/common/duration.c \
	milter/common/endpoint.c \
	milter/common/process_memory.c \
	milter/daemon/config_reload.c \
	milter/answers/answer_address.c \
	milter/answers/answer_code.c \
	milter/answers/answer_decision.c \
	milter/arrival/arrival.c \
	milter/arrival/arrival_answers.c \
	milter/arrival/body_file.c \
	milter/arrival/memory_budget.c \
	milter/daemon/filter.c \
	milter/daemon/mail_answer.c \
	milter/daemon/mechanisms.c \
	milter/daemon/held_record.c \
	milter/daemon/ledger_writer.c \
	milter/daemon/login_watch.c \
	milter/daemon/mechanisms.c \
	milter/daemon/mta_macros.c \
	milter/daemon/service.c \
	milter/daemon/smtp_reply.c \
	milter/database/database.c \
	milter/database/database_damage.c \
	milter/database/database_error.c \
	milter/database/database_place.c \
	milter/database/schema_update.c \
	milter/database/secret_file.c \
	milter/database/wal_check.c \
	milter/ledger/ledger.c \
	milter/ledger/ledger_bell.c \
	milter/ledger/ledger_decisions.c \
	milter/ledger/ledger_hold.c \
	milter/ledger/ledger_notices.c \
	milter/ledger/ledger_read.c \
	milter/ledger/ledger_remembered.c \
	milter/ledger/ledger_figures.c \
	milter/ledger/ledger_time.c \
	milter/ledger/ledger_transitions.c \
	milter/ledger/schema.c \
	milter/log/log_entry.c \
	milter/log/log_fields.c \
	milter/metrics/metrics.c \
	milter/metrics/metrics_text.c \
	milter/notify/mail_compose.c \
	milter/notify/mail_header.c \
	milter/notify/notice_template.c \
	milter/review/identities.c \
	milter/review/reviewer.c \
	milter/state/site_state.c \
	milter/state/state_client.c \
	milter/state/state_later.c \
	milter/state/state_file.c \
	milter/state/state_key_file.c \
	milter/state/state_operation.c \
	milter/state/state_permits.c \
	milter/state/state_windows.c \
	milter/store/store_thread.c

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
