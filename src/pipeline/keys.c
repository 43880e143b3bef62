#include "pipeline/keys.h"

#include "base/wipe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { LINE = 1024 }; /* the longest line that is a secret has fewer than 250 characters */

static void add_lines(struct sw_keylog *log, FILE *file, struct sw_keylog_counts *counts)
{
    char line[LINE];
    bool whole = true; /* the line before ended: this is the beginning of one */
    while (fgets(line, sizeof(line), file)) {
        struct sw_span text = sw_span_str(line);
        bool ends = text.len > 0 && text.ptr[text.len - 1] == '\n';
        if (whole && (ends || text.len < sizeof(line) - 1))
            sw_keylog_add(log, text, counts);
        else if (whole)
            counts->broken++;
        whole = ends;
    }
    sw_wipe(line, sizeof(line));
}

struct sw_status sw_keys_read(struct sw_keylog *log, const char *path,
                              struct sw_keylog_counts *counts)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return sw_status_make(SW_USAGE, 0, "--keylog: %s: %s", path, strerror(errno));
    char *buffer = malloc(BUFSIZ); /* of our own, to be wiped */
    if (buffer)
        (void)setvbuf(file, buffer, _IOFBF, BUFSIZ);
    add_lines(log, file, counts);
    int failed = ferror(file) ? errno : 0;
    (void)fclose(file);
    if (buffer)
        sw_wipe(buffer, BUFSIZ);
    free(buffer);
    if (failed)
        return sw_status_make(SW_USAGE, 0, "--keylog: %s: %s", path, strerror(failed));
    if (counts->lines == 0 && counts->broken > 0)
        return sw_status_make(SW_USAGE, 0,
                              "--keylog: %s: is no key log in the format of SSLKEYLOGFILE", path);
    return sw_status_ok();
}
