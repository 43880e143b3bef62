#include "cli/live_aside.h"

#include <stdbool.h>
#include <unistd.h>

enum { TOLD_BYTES = 16 << 10 };

void sw_live_aside_start(struct sw_live_aside *aside)
{
    *aside = (struct sw_live_aside){.file = tmpfile(), .kept = dup(STDERR_FILENO)};
    bool good = aside->file && aside->kept >= 0 && dup2(fileno(aside->file), STDERR_FILENO) >= 0;
    if (good)
        return;
    if (aside->file)
        (void)fclose(aside->file);
    if (aside->kept >= 0)
        (void)close(aside->kept);
    aside->file = NULL;
}

void sw_live_aside_stop(struct sw_live_aside *aside)
{
    char text[TOLD_BYTES];
    if (!aside->file)
        return;
    (void)fflush(stderr);
    (void)dup2(aside->kept, STDERR_FILENO);
    (void)close(aside->kept);
    long length = fseek(aside->file, 0, SEEK_END) == 0 ? ftell(aside->file) : 0;
    bool longer = length > TOLD_BYTES;
    if (fseek(aside->file, longer ? length - TOLD_BYTES : 0, SEEK_SET) == 0) {
        size_t n = fread(text, 1, sizeof(text), aside->file);
        if (longer)
            (void)fputs("...", stderr);
        (void)fwrite(text, 1, n, stderr);
    }
    (void)fclose(aside->file);
    aside->file = NULL;
}
