#include "cli/fleet.h"

#include "cli/analyse.h"
#include "cli/complain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { SENSOR_MOST = 64, SPOOL_MOST_MB = 1 << 20, WAIT_MOST_S = 86400 };

static bool complain(const char *what)
{
    sw_complain("%s", what);
    return false;
}

/* The first line of the file. */
static bool read_password(const char *path, char *out, size_t room)
{
    FILE *file = fopen(path, "re");
    bool good = file && fgets(out, (int)room, file);
    if (!good)
        sw_complain("%s: %s (SMTPWHY_STORE_PASSWORD_FILE)", path,
                    file ? "holds no password" : strerror(errno));
    if (file)
        (void)fclose(file);
    if (good)
        out[strcspn(out, "\r\n")] = '\0';
    return good;
}

static bool find_password(struct sw_fleet_choice *choice)
{
    const char *path = getenv("SMTPWHY_STORE_PASSWORD_FILE");
    const char *given = getenv("SMTPWHY_STORE_PASSWORD");
    if (path && path[0]) {
        if (!read_password(path, choice->password, sizeof(choice->password)))
            return false;
    } else if (given) {
        int length = snprintf(choice->password, sizeof(choice->password), "%s", given);
        if (length >= (int)sizeof(choice->password))
            return complain("the password of the store is too long");
    }
    for (const char *c = choice->password; *c; c++) {
        if ((unsigned char)*c < ' ')
            return complain("the password of the store has a control character in it");
    }
    choice->options.password = choice->password;
    return true;
}

void sw_fleet_forget_password(void)
{
    static const char name[] = "SMTPWHY_STORE_PASSWORD";
    char *given = getenv(name);
    for (; given && *given; given++) /* what /proc shows, too */
        *given = '*';
    (void)unsetenv(name);
}

/* The place for what programs keep (XDG base directory specification). */
static bool find_spool(struct sw_fleet_choice *choice, const struct sw_settings *settings)
{
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    int length = -1;
    if (settings->spool)
        length = snprintf(choice->spool, sizeof(choice->spool), "%s", settings->spool);
    else if (state && state[0] == '/')
        length = snprintf(choice->spool, sizeof(choice->spool), "%s/smtpwhy/spool", state);
    else if (home && home[0] == '/')
        length =
            snprintf(choice->spool, sizeof(choice->spool), "%s/.local/state/smtpwhy/spool", home);
    if (length <= 0 || length >= (int)sizeof(choice->spool))
        return complain("--store needs a directory for what waits to be sent: --spool DIR");
    choice->options.spool = choice->spool;
    return true;
}

const char *sw_fleet_contradiction(const struct sw_settings *settings)
{
    if (!settings->store && (settings->cluster || settings->sensor || settings->spool ||
                             settings->spool_mb || settings->has_store_wait))
        return "--cluster, --sensor, --spool, --spool-size and --store-wait belong to --store";
    if (settings->retain_days > 0 && !settings->db)
        return "--retain belongs to --db";
    if (settings->store && settings->anonymize)
        return "--anonymize and --store exclude each other: a store is asked by address and name";
    bool asks = settings->command == SW_COMMAND_AUDIT && settings->word_count == 0;
    if (settings->db && settings->anonymize && !asks)
        return "--anonymize and --db exclude each other where sessions are kept: a history holds "
               "addresses and names; 'audit --db FILE --anonymize' tells it without them";
    return NULL;
}

bool sw_fleet_choose(struct sw_fleet_choice *choice, const struct sw_settings *settings)
{
    struct sw_status status;
    *choice = (struct sw_fleet_choice){
        .options = {.urls = settings->store,
                    .cluster = settings->cluster,
                    .spool_bytes =
                        (settings->spool_mb ? settings->spool_mb : (uint64_t)SW_FLEET_SPOOL_MB)
                        << 20,
                    .wait_s = settings->has_store_wait ? settings->store_wait_s
                                                       : (unsigned)SW_FLEET_WAIT_S}};
    if (!sw_fleet_check(&choice->options, &status))
        return complain(status.message);
    bool asks = settings->command == SW_COMMAND_AUDIT && settings->word_count == 0;
    if (settings->sensor)
        (void)snprintf(choice->sensor, sizeof(choice->sensor), "%s", settings->sensor);
    else if (!asks && gethostname(choice->sensor, SENSOR_MOST) != 0)
        return complain("this machine has no name; give one with --sensor");
    choice->options.sensor = choice->sensor[0] ? choice->sensor : NULL;
    return find_password(choice) && (asks || find_spool(choice, settings));
}

int sw_fleet_send_command(const struct sw_settings *settings)
{
    struct sw_fleet_choice choice;
    struct sw_status status;
    if (!sw_fleet_choose(&choice, settings))
        return SW_EXIT_TROUBLE;
    struct sw_fleet *fleet = sw_fleet_open(&choice.options, &status);
    if (!fleet) {
        sw_complain("%s", status.message);
        return SW_EXIT_TROUBLE;
    }
    enum sw_fleet_end end = sw_fleet_finish(fleet);
    if (sw_fleet_message(fleet)[0])
        sw_complain("%s", sw_fleet_message(fleet));
    sw_fleet_close(fleet);
    return end == SW_FLEET_SENT    ? SW_EXIT_DONE
           : end == SW_FLEET_WAITS ? SW_EXIT_INCOMPLETE
                                   : SW_EXIT_TROUBLE;
}

bool sw_fleet_take_store(struct sw_settings *settings, const char *value, char *message)
{
    struct sw_status status;
    settings->store = value;
    if (sw_fleet_check(&(struct sw_fleet_options){.urls = value}, &status))
        return true;
    /* "--store: ..." stands before it */
    (void)snprintf(message, SW_CLI_MESSAGE_BYTES, "%.300s", status.message + strlen("--store: "));
    return false;
}

static bool take_name(const char **out, const char *value, char *message)
{
    size_t length = strlen(value);
    bool good = length > 0 && length <= SENSOR_MOST;
    for (size_t i = 0; good && i < length; i++)
        good = (unsigned char)value[i] > ' ' && value[i] != 0x7f;
    *out = value;
    if (!good)
        (void)snprintf(message, SW_CLI_MESSAGE_BYTES, "takes a name of 1 to %d characters",
                       SENSOR_MOST);
    return good;
}

bool sw_fleet_take_cluster(struct sw_settings *settings, const char *value, char *message)
{
    return take_name(&settings->cluster, value, message);
}

bool sw_fleet_take_sensor(struct sw_settings *settings, const char *value, char *message)
{
    return take_name(&settings->sensor, value, message);
}

bool sw_fleet_take_spool(struct sw_settings *settings, const char *value, char *message)
{
    settings->spool = value;
    if (!value[0])
        (void)snprintf(message, SW_CLI_MESSAGE_BYTES, "takes a directory");
    return value[0] != '\0';
}

static bool take_number(const char *value, uint64_t least, uint64_t most, uint64_t *out,
                        char *message)
{
    bool good = sw_span_u64(sw_span_str(value), out) && *out >= least && *out <= most;
    if (!good)
        (void)snprintf(message, SW_CLI_MESSAGE_BYTES, "takes a number from %d to %d, not '%.60s'",
                       (int)least, (int)most, value);
    return good;
}

bool sw_fleet_take_spool_size(struct sw_settings *settings, const char *value, char *message)
{
    return take_number(value, 1, SPOOL_MOST_MB, &settings->spool_mb, message);
}

bool sw_fleet_take_wait(struct sw_settings *settings, const char *value, char *message)
{
    uint64_t seconds = 0;
    settings->has_store_wait = take_number(value, 0, WAIT_MOST_S, &seconds, message);
    settings->store_wait_s = (unsigned)seconds;
    return settings->has_store_wait;
}
