#include "cli/interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

/* A signal has no other way to tell the program that it came. */
static volatile sig_atomic_t stop_files, stop_input;
static volatile sig_atomic_t has_input;
static int nowhere = -1;

static const int numbers[] = {SIGINT, SIGTERM};
enum { COUNT = sizeof(numbers) / sizeof(numbers[0]) };
static struct sigaction before[COUNT];

void sw_interrupt_now(void)
{
    stop_files = stop_input = 1;
    /* A read that waits goes on with what is there now: the end. */
    if (has_input && nowhere >= 0)
        (void)dup2(nowhere, STDIN_FILENO);
}

static void on_signal(int number)
{
    int error = errno;
    if (stop_input) {
        (void)signal(number, SIG_DFL);
        (void)raise(number);
    }
    if (number == SIGTERM || stop_files || !has_input)
        sw_interrupt_now();
    stop_files = 1;
    errno = error;
}

void sw_interrupt_begin(bool reads_standard_input)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    (void)sigemptyset(&action.sa_mask);
    has_input = reads_standard_input;
    stop_files = stop_input = 0;
    nowhere = reads_standard_input ? open("/dev/null", O_RDONLY | O_CLOEXEC) : -1;
    for (int i = 0; i < COUNT; i++) {
        (void)sigaction(numbers[i], NULL, &before[i]);
        if (before[i].sa_handler != SIG_IGN)
            (void)sigaction(numbers[i], &action, NULL);
    }
}

void sw_interrupt_end(void)
{
    for (int i = 0; i < COUNT; i++)
        (void)sigaction(numbers[i], &before[i], NULL);
    if (nowhere >= 0)
        (void)close(nowhere);
    nowhere = -1;
}

const volatile int *sw_interrupt_flag(bool standard_input)
{
    return standard_input ? &stop_input : &stop_files;
}
