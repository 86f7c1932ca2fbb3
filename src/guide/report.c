#include "guide/report.h"

const char *mechanism_name(enum mechanism mechanism)
{
    switch (mechanism) {
    case MECHANISM_NONE:
        return NULL;
    case MECHANISM_MAC_BOOT:
        return "mac-boot";
    case MECHANISM_COMMON_BOOT:
        return "common-boot";
    case MECHANISM_OLD:
        return "old";
    case MECHANISM_SINGLE_FILE:
        return "single-file";
    }
    return NULL;
}

const char *run_outcome_name(enum run_outcome outcome)
{
    switch (outcome) {
    case RUN_GOING:
        return "going";
    case RUN_PROVISIONED:
        return "provisioned";
    case RUN_UNCHANGED:
        return "unchanged";
    case RUN_FAILED:
        return "failed";
    case RUN_UPGRADED:
        return "upgraded";
    }
    return NULL;
}

const char *file_outcome_name(enum file_outcome outcome)
{
    switch (outcome) {
    case FILE_ASKED:
        return "asked";
    case FILE_USED:
        return "used";
    case FILE_ABSENT:
        return "absent";
    case FILE_SKIPPED:
        return "skipped";
    case FILE_FAILED:
        return "failed";
    case FILE_REFUSED:
        return "refused";
    }
    return NULL;
}
