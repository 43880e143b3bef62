/*
 * fleet.h - what --store asks for on the command line.
 */
#ifndef SW_CLI_FLEET_H
#define SW_CLI_FLEET_H

#include "cli/options.h"
#include "store/fleet.h"

/* What the settings and the environment say of the store; texts live in here. */
struct sw_fleet_choice {
    struct sw_fleet_options options;
    char password[512], sensor[256], spool[4096];
};

/* What is wrong with how the options are put together, or NULL. */
const char *sw_fleet_contradiction(const struct sw_settings *settings);
/* False after saying what is wrong. */
bool sw_fleet_choose(struct sw_fleet_choice *choice, const struct sw_settings *settings);
/* Takes the password out of the environment of a process that does not need it. */
void sw_fleet_forget_password(void);
/* Only sends what waits in the spool. Returns the exit status. */
int sw_fleet_send_command(const struct sw_settings *settings);

/* The readers of its options, for the table. */
bool sw_fleet_take_store(struct sw_settings *settings, const char *value, char *message);
bool sw_fleet_take_cluster(struct sw_settings *settings, const char *value, char *message);
bool sw_fleet_take_sensor(struct sw_settings *settings, const char *value, char *message);
bool sw_fleet_take_spool(struct sw_settings *settings, const char *value, char *message);
bool sw_fleet_take_spool_size(struct sw_settings *settings, const char *value, char *message);
bool sw_fleet_take_wait(struct sw_settings *settings, const char *value, char *message);

#endif
