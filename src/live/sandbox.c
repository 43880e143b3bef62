#include "live/sandbox.h"

#include "live/syscalls.h"

#include <cap-ng.h>
#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

static const char *const layer_names[SW_SANDBOX_LAYERS] = {
    [SW_SANDBOX_NO_CORE] = "core-dumps", [SW_SANDBOX_CAPABILITIES] = "capabilities",
    [SW_SANDBOX_USER] = "user",          [SW_SANDBOX_NO_NEW_PRIVILEGES] = "no-new-privileges",
    [SW_SANDBOX_LANDLOCK] = "landlock",  [SW_SANDBOX_SECCOMP] = "seccomp",
};

const char *sw_sandbox_layer_name(enum sw_sandbox_layer layer)
{
    return layer_names[layer];
}

bool sw_sandbox_no_core(void)
{
    const struct rlimit none = {0, 0};
    return setrlimit(RLIMIT_CORE, &none) == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0;
}

bool sw_sandbox_drop_capabilities(char *why, size_t room)
{
    capng_clear(CAPNG_SELECT_BOTH);
    if (capng_apply(CAPNG_SELECT_CAPS) != 0) {
        (void)snprintf(why, room, "%s", strerror(errno));
        return false;
    }
    (void)snprintf(why, room, "none left");
    return true;
}

/* A user that owns nothing; the program's own when the machine has one. */
static const struct passwd *lowly_user(void)
{
    const struct passwd *user = getpwnam("smtpwhy");
    return user ? user : getpwnam("nobody");
}

/* Capabilities go with the change of the user, the bounding set as far as it may be changed. */
static void change_user(struct sw_sandbox *sandbox)
{
    char *detail = sandbox->detail[SW_SANDBOX_USER];
    const size_t room = sizeof(sandbox->detail[0]);
    if (geteuid() != 0) {
        sandbox->active[SW_SANDBOX_USER] = true;
        (void)snprintf(detail, room, "not root from the start");
        return;
    }
    const struct passwd *user = lowly_user();
    if (!user) {
        (void)snprintf(detail, room, "there is neither a user smtpwhy nor nobody");
        return;
    }
    capng_clear(CAPNG_SELECT_BOTH);
    int failed = capng_change_id((int)user->pw_uid, (int)user->pw_gid,
                                 CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING);
    sandbox->active[SW_SANDBOX_USER] = failed == 0 && geteuid() != 0;
    if (sandbox->active[SW_SANDBOX_USER])
        (void)snprintf(detail, room, "%.40s", user->pw_name);
    else
        (void)snprintf(detail, room, "it cannot be changed (%d)", failed);
}

static void give_up_privileges(struct sw_sandbox *sandbox)
{
    const size_t room = sizeof(sandbox->detail[0]);
    change_user(sandbox);
    sandbox->active[SW_SANDBOX_CAPABILITIES] =
        sw_sandbox_drop_capabilities(sandbox->detail[SW_SANDBOX_CAPABILITIES], room);
    sandbox->active[SW_SANDBOX_NO_CORE] = sw_sandbox_no_core(); /* a change of user undoes it */
    sandbox->active[SW_SANDBOX_NO_NEW_PRIVILEGES] = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

void sw_sandbox_enter(struct sw_sandbox *sandbox)
{
    const size_t room = sizeof(sandbox->detail[0]);
    *sandbox = (struct sw_sandbox){.entered = true};
    give_up_privileges(sandbox);
    char *why = sandbox->detail[SW_SANDBOX_LANDLOCK];
    sandbox->landlock_abi =
        sw_sandbox_landlock(&(struct sw_sandbox_ground){.network = false}, why, room);
    sandbox->active[SW_SANDBOX_LANDLOCK] = sandbox->landlock_abi > 0;
    if (sandbox->landlock_abi > 0)
        (void)snprintf(why, room, "ABI %d", sandbox->landlock_abi);
    int failed = sw_syscalls_restrict();
    sandbox->active[SW_SANDBOX_SECCOMP] = failed == 0;
    (void)snprintf(sandbox->detail[SW_SANDBOX_SECCOMP], room, "%s",
                   failed ? strerror(failed) : "a list of what is allowed");
}

void sw_sandbox_tell(const struct sw_sandbox *sandbox, bool all, FILE *out)
{
    for (int i = 0; i < SW_SANDBOX_LAYERS; i++) {
        const char *detail = sandbox->detail[i];
        if (sandbox->active[i] && !all)
            continue;
        (void)fprintf(out, "smtpwhy: sandbox: %s: %s%s%s%s\n", layer_names[i],
                      sandbox->active[i] ? "active" : "MISSING", detail[0] ? " (" : "", detail,
                      detail[0] ? ")" : "");
    }
}
