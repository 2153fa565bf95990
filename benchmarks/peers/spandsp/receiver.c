/* spandsp's DTMF receiver on standard input, for comparison with ours.
 *
 *   receiver decode              records of a 32-bit count and as many 16-bit samples at 8 kHz (little endian);
 *                                prints the keys of each record on a line, each by a fresh receiver
 *   receiver speed CHANNELS SEC  the samples of a pool; prints the channels that one core hears in real time
 *
 * cc -O2 receiver.c -o receiver -lspandsp -lm
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <spandsp.h>

enum { FRAME = 160, MOST_KEYS = 128 }; /* 20 ms at 8 kHz; spandsp keeps as many keys as MAX_DTMF_DIGITS */

static void *must(void *memory)
{
    if (memory == NULL) {
        fputs("out of memory\n", stderr);
        exit(1);
    }
    return memory;
}

static void collect(dtmf_rx_state_t *receiver, char *keys, size_t *length)
{
    *length += (size_t) dtmf_rx_get(receiver, keys + *length, MOST_KEYS);
    keys[*length] = '\0';
}

/* In frames, so that a record with more keys than the receiver keeps loses none. */
static int decode(void)
{
    uint32_t count;
    while (fread(&count, sizeof count, 1, stdin) == 1) {
        int16_t *samples = must(malloc((size_t) count * sizeof *samples + 1));
        char *keys = must(malloc((size_t) count / FRAME + 2 * MOST_KEYS));
        size_t length = 0;
        if (fread(samples, sizeof *samples, count, stdin) != count)
            return 1;
        dtmf_rx_state_t *receiver = must(dtmf_rx_init(NULL, NULL, NULL));
        keys[0] = '\0';
        for (uint32_t at = 0; at < count; at += FRAME) {
            uint32_t left = count - at;
            dtmf_rx(receiver, samples + at, (int) (left < FRAME ? left : FRAME));
            collect(receiver, keys, &length);
        }
        puts(keys);
        dtmf_rx_free(receiver);
        free(keys);
        free(samples);
    }
    return 0;
}

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double) now.tv_sec + 1e-9 * (double) now.tv_nsec;
}

static int16_t *read_pool(size_t *frames)
{
    size_t room = 1 << 20, used = 0, more;
    char *bytes = must(malloc(room));
    while ((more = fread(bytes + used, 1, room - used, stdin)) > 0) {
        used += more;
        if (used == room)
            bytes = must(realloc(bytes, room *= 2));
    }
    *frames = used / (FRAME * sizeof(int16_t));
    return (int16_t *) bytes;
}

static int speed(size_t channels, int seconds)
{
    size_t frames;
    int16_t *pool = read_pool(&frames);
    dtmf_rx_state_t **receivers = must(calloc(channels, sizeof *receivers));
    char keys[MOST_KEYS + 1];
    if (frames == 0 || channels == 0 || seconds <= 0)
        return 1;
    for (size_t channel = 0; channel < channels; channel++)
        receivers[channel] = must(dtmf_rx_init(NULL, NULL, NULL));
    double begun = cpu_seconds();
    for (size_t tick = 0; tick < (size_t) seconds * 50; tick++)
        for (size_t channel = 0; channel < channels; channel++) {
            /* A prime apart, so that channels are at different places of the pool. */
            dtmf_rx(receivers[channel], pool + (tick + channel * 977) % frames * FRAME, FRAME);
            dtmf_rx_get(receivers[channel], keys, MOST_KEYS);
        }
    printf("%.1f\n", (double) channels * seconds / (cpu_seconds() - begun));
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "decode") == 0)
        return decode();
    if (argc == 4 && strcmp(argv[1], "speed") == 0)
        return speed((size_t) atoi(argv[2]), atoi(argv[3]));
    fputs("receiver decode | receiver speed CHANNELS SECONDS\n", stderr);
    return 2;
}
