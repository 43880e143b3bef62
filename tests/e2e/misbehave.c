/*
 * misbehave.c - a parser that packets have taken over. Linked into the program in place of the
 * decoder (--wrap=sw_decode): at the first frame it tries what an attacker would and says on
 * standard error how that went; with the second frame it tries to become a shell.
 */
#include "decode/decode.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum sw_decode_result __real_sw_decode(const struct sw_frame *frame, struct sw_packet *packet);
enum sw_decode_result __wrap_sw_decode(const struct sw_frame *frame, struct sw_packet *packet);

static void tell(const char *what, long result)
{
    char line[100];
    int n = snprintf(line, sizeof(line), "tried %s: %s\n", what,
                     result >= 0 ? "IT WORKED" : strerror(errno));
    (void)!write(STDERR_FILENO, line, (size_t)n);
}

static void try_all(void)
{
    tell("read a file", open("/etc/passwd", O_RDONLY));
    tell("write a file", open("/tmp/smtpwhy-misbehaved", O_WRONLY | O_CREAT, 0600));
    tell("remove a file", unlink("/tmp/smtpwhy-misbehaved"));
    tell("make a socket", socket(AF_INET, SOCK_STREAM, 0));
    tell("make a raw socket", socket(AF_PACKET, SOCK_RAW, 0));
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    tell("make a process", child);
    tell("be root", setuid(0));
    tell("reach its parent", kill(getppid(), SIGCONT));
    void *code =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    tell("make memory that can be run", code == MAP_FAILED ? -1 : 0);
}

enum sw_decode_result __wrap_sw_decode(const struct sw_frame *frame, struct sw_packet *packet)
{
    static int frames;
    if (frames++ == 0)
        try_all();
    else if (frames == 3) {
        char *const shell[] = {(char[]){"/bin/sh"}, (char[]){"-c"}, (char[]){"echo A SHELL"}, NULL};
        (void)execv(shell[0], shell);
        tell("be a shell", -1);
    }
    return __real_sw_decode(frame, packet);
}
