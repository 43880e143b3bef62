/*
 * options.c - the table of options: each value's reader stands above the table, its row in it.
 */
#include "cli/fleet.h"
#include "cli/history.h"
#include "cli/live.h"

#include <stdio.h>
#include <string.h>

#define ANALYSE (1u << SW_COMMAND_ANALYSE)
#define EXPLAIN (1u << SW_COMMAND_EXPLAIN)
#define LISTS ((1u << SW_COMMAND_CAUSES) | (1u << SW_COMMAND_FINDINGS))
#define LIVE (1u << SW_COMMAND_LIVE)
#define AUDIT (1u << SW_COMMAND_AUDIT)
#define TUI (1u << SW_COMMAND_TUI)
#define READS (ANALYSE | AUDIT | TUI)
#define ALL (READS | LIVE | EXPLAIN | LISTS)

static bool say(char *message, const char *what, const char *value, const char *help)
{
    (void)snprintf(message, SW_CLI_MESSAGE_BYTES, "%s '%.100s'%s", what, value, help);
    return false;
}

static bool take_number(const char *value, uint64_t least, uint64_t most, uint64_t *out)
{
    uint64_t number = 0;
    if (!sw_span_u64(sw_span_str(value), &number) || number < least || number > most)
        return false;
    *out = number;
    return true;
}

static bool take_when(const char *value, enum sw_when *out)
{
    static const char *const words[] = {
        [SW_WHEN_AUTO] = "auto", [SW_WHEN_ALWAYS] = "always", [SW_WHEN_NEVER] = "never"};
    for (int i = SW_WHEN_AUTO; i <= SW_WHEN_NEVER; i++) {
        if (strcmp(value, words[i]) == 0) {
            *out = (enum sw_when)i;
            return true;
        }
    }
    return false;
}

static bool is_audit_format(struct sw_span name)
{
    const struct sw_audit_format *format;
    for (size_t i = 0; (format = sw_audit_format(i)); i++) {
        if (sw_span_eq(name, sw_span_str(format->name)))
            return true;
    }
    return false;
}

/* The name of the index-th format of the subcommand, or NULL. */
static const char *format_name(const struct sw_settings *settings, size_t index)
{
    if (settings->command == SW_COMMAND_AUDIT) {
        const struct sw_audit_format *format = sw_audit_format(index);
        return format ? format->name : NULL;
    }
    const struct sw_report_format *format = sw_report_format(index);
    return format ? format->name : NULL;
}

static bool unknown_format(const struct sw_settings *settings, struct sw_span name, char *message)
{
    size_t used = (size_t)snprintf(message, SW_CLI_MESSAGE_BYTES, "%s '%.*s'; available: ",
                                   is_audit_format(name) ? "only 'audit' has the output format"
                                                         : "there is no output format",
                                   (int)(name.len < 40 ? name.len : 40), (const char *)name.ptr);
    const char *known;
    const char *gap = "";
    for (size_t i = 0; (known = format_name(settings, i)) && used < SW_CLI_MESSAGE_BYTES; i++) {
        if (settings->command != SW_COMMAND_AUDIT &&
            !sw_command_writes(settings->command, sw_report_format(i)))
            continue;
        used += (size_t)snprintf(message + used, SW_CLI_MESSAGE_BYTES - used, "%s%s", gap, known);
        gap = ", ";
    }
    return false;
}

static bool take_output(struct sw_settings *settings, const char *value, char *message)
{
    struct sw_span name = sw_span_str(value);
    size_t colon = sw_span_index(name, ':');
    const char *path = colon < name.len ? value + colon + 1 : NULL;
    name = sw_span_sub(name, 0, colon);
    const char *known;
    size_t index = 0;
    while ((known = format_name(settings, index)) && !sw_span_eq(name, sw_span_str(known)))
        index++;
    if (!known)
        return unknown_format(settings, name, message);
    if (path && !path[0])
        return say(message, "no path behind the colon of", value, "");
    if (path && strcmp(path, "-") == 0)
        path = NULL;
    if (!path && settings->command != SW_COMMAND_AUDIT && sw_report_format(index)->files)
        return say(message, "several files are written by", known,
                   "; name a directory for them: -o FORMAT:DIRECTORY");
    for (unsigned i = 0; i < settings->output_count; i++) {
        const char *other = settings->outputs[i].path;
        if (path ? other && strcmp(other, path) == 0 : !other)
            return say(message, "two outputs to", path ? path : "standard output",
                       "; give one of them another path: -o FORMAT:PATH");
    }
    if (settings->output_count == SW_OUTPUTS_MAX)
        return say(message, "too many outputs, at", value, "; give the others in another run");
    bool audit = settings->command == SW_COMMAND_AUDIT;
    settings->outputs[settings->output_count++] = (struct sw_output_choice){
        audit ? NULL : sw_report_format(index), audit ? sw_audit_format(index) : NULL, path};
    return true;
}

static bool take_read(struct sw_settings *settings, const char *value, char *message)
{
    (void)message;
    settings->words[settings->word_count++] = value;
    return true;
}

static bool take_filter(struct sw_settings *settings, const char *value, char *message)
{
    (void)message;
    settings->filter = value;
    return true;
}

static bool take_stop(struct sw_settings *settings, const char *value, char *message)
{
    return take_number(value, 1, UINT64_MAX, &settings->stop_after_frames) ||
           say(message, "takes a number of frames from 1, not", value, "");
}

static bool take_no_names(struct sw_settings *settings, const char *value, char *message)
{
    (void)value;
    (void)message;
    settings->no_names = true;
    return true;
}

static bool take_ports(struct sw_settings *settings, const char *value, char *message)
{
    (void)message;
    settings->ports = value;
    return true;
}

static bool take_ca_file(struct sw_settings *settings, const char *value, char *message)
{
    (void)message;
    settings->ca_file = value;
    return true;
}

static bool take_keylog(struct sw_settings *settings, const char *value, char *message)
{
    (void)message;
    settings->keylog = value;
    return true;
}

static bool take_rsa_key(struct sw_settings *settings, const char *value, char *message)
{
    (void)message;
    settings->rsa_key = value;
    return true;
}

static bool take_ca_path(struct sw_settings *settings, const char *value, char *message)
{
    (void)message;
    settings->ca_path = value;
    return true;
}

static bool take_server_name(struct sw_settings *settings, const char *value, char *message)
{
    (void)message;
    settings->server_name = value;
    return true;
}

static bool take_only(struct sw_settings *settings, const char *value, char *message)
{
    return sw_select_only(&settings->select, value, message);
}

static bool take_cause(struct sw_settings *settings, const char *value, char *message)
{
    return sw_select_cause(&settings->select, value, message);
}

static bool take_client(struct sw_settings *settings, const char *value, char *message)
{
    return sw_select_client(&settings->select, value, message);
}

static bool take_server(struct sw_settings *settings, const char *value, char *message)
{
    return sw_select_server(&settings->select, value, message);
}

static bool take_since(struct sw_settings *settings, const char *value, char *message)
{
    return sw_select_since(&settings->select, value, message);
}

static bool take_until(struct sw_settings *settings, const char *value, char *message)
{
    return sw_select_until(&settings->select, value, message);
}

static bool take_fail_on(struct sw_settings *settings, const char *value, char *message)
{
    return sw_select_fail_on(&settings->select, value, message);
}

static bool take_verbose(struct sw_settings *settings, const char *value, char *message)
{
    (void)value;
    (void)message;
    settings->verbose = true;
    return true;
}

static bool take_keep_keys(struct sw_settings *settings, const char *value, char *message)
{
    (void)value;
    (void)message;
    settings->keep_keys = true;
    return true;
}

static bool take_keep_credentials(struct sw_settings *settings, const char *value, char *message)
{
    (void)value;
    (void)message;
    settings->keep_credentials = true;
    return true;
}

static bool take_flow(struct sw_settings *settings, const char *value, char *message)
{
    (void)value;
    (void)message;
    settings->flow = true;
    return true;
}

static bool take_quiet(struct sw_settings *settings, const char *value, char *message)
{
    (void)value;
    (void)message;
    settings->quiet = true;
    return true;
}

static bool take_jobs(struct sw_settings *settings, const char *value, char *message)
{
    uint64_t jobs = 0;
    if (!take_number(value, 1, 256, &jobs))
        return say(message, "takes a number from 1 to 256, not", value, "");
    settings->jobs = (unsigned)jobs;
    return true;
}

static bool take_anonymize(struct sw_settings *settings, const char *value, char *message)
{
    (void)value;
    (void)message;
    settings->anonymize = true;
    return true;
}

static bool take_color(struct sw_settings *settings, const char *value, char *message)
{
    return take_when(value, &settings->color) ||
           say(message, "takes auto, always or never, not", value, "");
}

static bool take_progress(struct sw_settings *settings, const char *value, char *message)
{
    return take_when(value, &settings->progress) ||
           say(message, "takes auto, always or never, not", value, "");
}

static bool take_limits(struct sw_settings *settings, const char *value, char *message)
{
    (void)message;
    settings->limits = value;
    return true;
}

static bool take_policy(struct sw_settings *settings, const char *value, char *message)
{
    (void)message;
    settings->policy = value;
    return true;
}

static bool take_help(struct sw_settings *settings, const char *value, char *message)
{
    (void)message;
    settings->help = true;
    settings->help_topic = value;
    return true;
}

static bool take_version(struct sw_settings *settings, const char *value, char *message)
{
    (void)value;
    (void)message;
    settings->version = true;
    return true;
}

static const struct sw_option table[] = {
    {'o', "output", "FORMAT[:PATH]", ALL & ~TUI, true, take_output,
     "write this format, to PATH or standard output; may be given several times: "
     "--help formats lists them"},
    {'r', "read", "FILE", READS, true, take_read, "the same as a FILE argument"},
    {'f', "filter", "EXPR", READS | LIVE, true, take_filter,
     "look only at frames that match this capture filter (pcap syntax)"},
    {'c', "count", "N", READS | LIVE, true, take_stop, "stop after N frames"},
    {'n', "no-names", NULL, READS | LIVE, true, take_no_names,
     "call hosts by their addresses, never by names; what was said stays as it was"},
    {'p', "ports", "LIST", READS | LIVE, true, take_ports,
     "ports that are mail by definition (25,465,587,2525,24); mail elsewhere is recognised by "
     "content"},
    {0, "only", "OUTCOME,...", READS | LIVE, true, take_only,
     "show these sessions only: delivered, partial, stuck, no-mail, unknown"},
    {0, "cause", "ID,...", READS | LIVE, true, take_cause, "show sessions with these causes only"},
    {0, "client", "NET,...", READS | LIVE, true, take_client,
     "show sessions of these clients only (192.0.2.0/24)"},
    {0, "server", "NET,...", READS | LIVE, true, take_server,
     "show sessions with these servers only"},
    {0, "since", "TIME", READS | LIVE, true, take_since,
     "show sessions that began at TIME or later (2024-05-01T10:00:00Z, UTC without a zone)"},
    {0, "until", "TIME", READS | LIVE, true, take_until, "show sessions that began before TIME"},
    {'v', "verbose", NULL, ANALYSE | LIVE | AUDIT, true, take_verbose,
     "tell every session in full, with its dialogue, times and frame numbers"},
    {0, "flow", NULL, ANALYSE | LIVE, true, take_flow,
     "draw every session as a ladder: who sent what and when, with the evidence marked"},
    {'q', "quiet", NULL, READS | LIVE, true, take_quiet,
     "the summary only, in every output: formats that have none hold no session"},
    {'j', "jobs", "N", READS, true, take_jobs,
     "read N files at a time; the output does not depend on it"},
    {0, "anonymize", NULL, READS | LIVE, true, take_anonymize,
     "put pseudonyms in place of addresses and names, leave subjects out"},
    {0, "fail-on", "WHAT,...", READS | LIVE, true, take_fail_on,
     "exit with 1 when a shown session matches: stuck, finding, finding:LEVEL, or a cause"},
    {0, "color", "WHEN", ALL, true, take_color,
     "auto (the default), always or never; NO_COLOR is obeyed"},
    {0, "progress", "WHEN", READS, true, take_progress,
     "a progress bar on standard error: auto, always or never"},
    {'k', "keylog", "FILE", READS | LIVE, true, take_keylog,
     "TLS secrets (SSLKEYLOGFILE); those inside a pcapng are used without asking"},
    {0, "rsa-key", "FILE", READS | LIVE, true, take_rsa_key,
     "private RSA key (PEM) of a server: opens TLS up to 1.2 with RSA key exchange"},
    {0, "ca-file", "FILE", READS | LIVE, true, take_ca_file,
     "certificates (PEM) to trust in place of the system's"},
    {0, "ca-path", "DIR", READS | LIVE, true, take_ca_path,
     "the same, a directory made by openssl rehash"},
    {0, "server-name", "NAME", READS | LIVE, true, take_server_name,
     "the name that the server's certificate must bear (default: what the client asked for)"},
    {0, "policy", "FILE", AUDIT | LIVE, true, take_policy,
     "what is demanded of sessions ('default' is built in); exit with 1 when it is broken; --help "
     "policy shows how one is written"},
    {0, "db", "FILE", ANALYSE | AUDIT | LIVE, true, sw_keeper_take_db,
     "keep the sessions in this history file (SQLite), each once; audit without FILE reads it"},
    {0, "retain", "DAYS", ANALYSE | AUDIT | LIVE, true, sw_keeper_take_retain,
     "with --db: forget sessions that are older than the newest by so many days"},
    {0, "diff", "WHEN", AUDIT, true, sw_keeper_take_diff,
     "with --db or --store: what changed at each server since a time; 'last' (of a history): the "
     "last run against those before it"},
    {0, "store", "URL,...", ANALYSE | AUDIT | LIVE, true, sw_fleet_take_store,
     "keep the sessions in a ClickHouse that many share (http://user@host:8123/database), each "
     "once; audit without FILE asks it; without FILE sends what waits"},
    {0, "cluster", "NAME", ANALYSE | AUDIT | LIVE, true, sw_fleet_take_cluster,
     "with --store: the ClickHouse cluster over whose shards the sessions are spread"},
    {0, "sensor", "NAME", ANALYSE | AUDIT | LIVE, true, sw_fleet_take_sensor,
     "with --store: whose sessions these are (default: this machine's name)"},
    {0, "spool", "DIR", ANALYSE | AUDIT | LIVE, true, sw_fleet_take_spool,
     "with --store: where sessions wait until the store has them (~/.local/state/smtpwhy/spool)"},
    {0, "spool-size", "MB", ANALYSE | AUDIT | LIVE, true, sw_fleet_take_spool_size,
     "with --store: how much may wait (1024)"},
    {0, "store-wait", "S", ANALYSE | AUDIT, true, sw_fleet_take_wait,
     "with --store: how many seconds to try in the end when it does not answer (30)"},
    {0, "keep-keys", NULL, ANALYSE, true, take_keep_keys,
     "put the TLS secrets that were given into packet output"},
    {0, "keep-credentials", NULL, ANALYSE, true, take_keep_credentials,
     "leave logins in packet output as they are (they are masked otherwise)"},
    {0, "limits", "NAME=VALUE,...", READS | LIVE, true, take_limits,
     "caps on memory and size; --help limits lists them"},
    {'i', "interface", "IFACE,...", LIVE, true, sw_live_take_interface,
     "watch these interfaces, or any"},
    {'D', "list-interfaces", NULL, LIVE, true, sw_live_take_list,
     "list the interfaces that can be watched"},
    {'s', "snaplen", "N", LIVE, true, sw_live_take_snaplen,
     "look at the first N bytes of a frame only (0, the default: at all of them)"},
    {'B', "buffer-size", "KIB", LIVE, true, sw_live_take_buffer,
     "the kernel's buffer of each interface (32768): a larger one helps where packets are lost"},
    {'w', "write", "FILE", LIVE, true, sw_live_take_write,
     "record what concerns mail, as it is on the wire, to this pcapng file"},
    {0, "record", "WHAT", LIVE, true, sw_live_take_record,
     "what -w records: mail (the default), or all that passes the filter"},
    {'C', "rotate-size", "MB", LIVE, true, sw_live_take_rotate_size,
     "begin another file when one has so many million bytes"},
    {'G', "rotate-seconds", "S", LIVE, true, sw_live_take_rotate_seconds,
     "begin another file after so many seconds; FILE is a template of strftime(3)"},
    {'W', "rotate-count", "N", LIVE, true, sw_live_take_rotate_count,
     "keep at most N files, the oldest gives way"},
    {0, "ring", "MB", LIVE, true, sw_live_take_ring,
     "hold the last frames in so much memory, and write to -w only those of mail that is stuck"},
    {0, "http", "ADDR", LIVE, true, sw_live_take_http,
     "dashboard, JSON and metrics at 127.0.0.1:PORT or a Unix socket's path; elsewhere a token is "
     "demanded"},
    {0, "tui", NULL, LIVE, true, sw_live_take_tui,
     "the terminal view in place of the text report; ? in it tells the keys"},
    {0, "no-sandbox", NULL, LIVE, true, sw_live_take_no_sandbox,
     "keep all rights while packets are analysed: dangerous, for finding faults only"},
    {'h', "help", "[TOPIC]", ALL, true, take_help,
     "this text; on a TOPIC: limits, formats, fields, policy"},
    {'V', "version", NULL, ALL, true, take_version, "the version"},
};

static const char explain_more[] =
    "\nTHING\n"
    "  A reply may have its stage in front: greeting, hello, starttls, auth, mail, rcpt,\n"
    "  data, final, or the command's verb; \\n written out separates its lines.\n"
    "  What is pasted on standard input, or stands in a file there, is one thing where its\n"
    "  lines belong together (a bounce, an error message, a dialogue), else one a line.\n"
    "  From there the answers are always JSON, one object a line.\n"
    "\nExamples\n"
    "  smtpwhy explain 0x800CCC0B\n"
    "  smtpwhy explain 'RCPT: 550 5.7.1 Relaying denied'\n"
    "  smtpwhy explain rcpt-relay-denied aud-plaintext-auth-used\n"
    "  smtpwhy explain < bounce.txt\n";

static const struct sw_command_row commands[SW_COMMAND_COUNT] = {
    [SW_COMMAND_ANALYSE] = {"analyse", "[options] FILE...",
                            "analyse saved captures (the default; '-' is standard input)", true,
                            NULL},
    [SW_COMMAND_EXPLAIN] =
        {"explain", "explain [options] [THING...]",
         "what a cause, a finding, a client error code (0x800CCC0B), a reply code (421, 5.7.139) "
         "or a pasted server reply means and what to do; without THING reads replies from "
         "standard input",
         true, explain_more},
    [SW_COMMAND_CAUSES] = {"causes", "causes [options]", "list the ids of all causes", true, NULL},
    [SW_COMMAND_FINDINGS] = {"findings", "findings [options]", "list the ids of all findings", true,
                             NULL},
    [SW_COMMAND_LIVE] = {"live", "live -i IFACE [options]",
                         "analyse live traffic, until SIGTERM or ^C", true, NULL},
    [SW_COMMAND_AUDIT] = {"audit", "audit [options] FILE...",
                          "what was found, at whom, since when; judged against a policy", true,
                          NULL},
    [SW_COMMAND_TUI] = {"tui", "tui [options] FILE...", "the terminal view on saved captures", true,
                        NULL},
};

const struct sw_option *sw_option_at(size_t index)
{
    return index < sizeof(table) / sizeof(table[0]) ? &table[index] : NULL;
}

const struct sw_command_row *sw_command_at(enum sw_command command)
{
    return &commands[command];
}

bool sw_command_writes(enum sw_command command, const struct sw_report_format *format)
{
    unsigned bit = 1u << command;
    if (bit & (EXPLAIN | LISTS))
        return format->general;
    return (bit & ANALYSE) || ((bit & LIVE) && !format->plan); /* frames are read twice */
}
