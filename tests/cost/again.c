/*
 * again.c - the program's main() as often as one likes, linked around it (--wrap=main): each line
 * of standard input is the words of one command line, with tabs between them. A child of its own
 * runs each; then a line of standard output says the child's number and exit status.
 *
 * So valgrind loads the program once and translates most of it once, in the run that this process
 * makes itself, with its own words. What it counts of a child includes what came before the fork.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LINE_BYTES = 4096, WORDS_MAX = 64 };

int __real_main(int argc, char **argv);
int __wrap_main(int argc, char **argv);

static int run_line(char *line)
{
    char *words[WORDS_MAX + 1] = {NULL};
    int count = 0;
    for (char *word; count < WORDS_MAX && (word = strsep(&line, "\t"));)
        words[count++] = word;
    return __real_main(count, words);
}

int __wrap_main(int argc, char **argv)
{
    static char line[LINE_BYTES];
    int status = __real_main(argc, argv);
    while ((status == 0 || status == 3) && fgets(line, sizeof(line), stdin)) {
        line[strcspn(line, "\n")] = '\0';
        pid_t child = fork();
        if (child == 0)
            exit(run_line(line));
        int ended = 0;
        if (child < 0 || waitpid(child, &ended, 0) != child)
            return 1;
        (void)printf("%ld %d\n", (long)child, WIFEXITED(ended) ? WEXITSTATUS(ended) : -1);
        (void)fflush(stdout);
    }
    return status;
}
