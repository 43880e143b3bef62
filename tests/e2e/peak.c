/*
 * peak.c - runs a program and tells its peak memory: peak FILE PROGRAM [ARGUMENT...] writes
 * kilobytes to FILE and ends as the program does. What a program has needed includes what its
 * parent had when it was started, so the parent must be small. In large pages it would include what
 * stands beside what was needed, by chance more or less of it, so there are none.
 */
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    if (argc < 3) {
        (void)fprintf(stderr, "usage: peak FILE PROGRAM [ARGUMENT...]\n");
        return 2;
    }
    (void)prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
    pid_t child = fork();
    if (child == 0) {
        (void)execv(argv[2], argv + 2);
        perror(argv[2]);
        _exit(127);
    }
    int status = 0;
    struct rusage usage;
    FILE *out = child > 0 && wait4(child, &status, 0, &usage) == child ? fopen(argv[1], "w") : NULL;
    if (!out) {
        perror(argv[1]);
        return 126;
    }
    (void)fprintf(out, "%ld\n", usage.ru_maxrss);
    if (fclose(out) != 0)
        return 126;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 125;
}
