/*
 * Runs a fuzz target without a fuzzer: over every file of its corpus as it is, cut short at every
 * length, and with every byte changed in a few ways. Each file is a TAP line. What the sanitizers
 * or the target's own assertions find ends the program.
 *
 *     replay DIRECTORY...
 *
 * With QM_FUZZ_LAST=FILE in the environment each input is written there before it runs: after a
 * finding it is the one to look at, and to add to the corpus.
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#define CUTS_MAX  3000 /* longer inputs are cut and changed at so many places only */
#define FILES_MAX 1000

static void write_last(const uint8_t *bytes, size_t length)
{
    const char *path = getenv("QM_FUZZ_LAST");
    FILE *out = path ? fopen(path, "wb") : NULL;

    if (!out)
        return;
    fwrite(bytes, 1, length, out);
    fclose(out);
}

/* A copy of exactly this size, so that a read past the end is seen. */
static void run(const uint8_t *bytes, size_t length)
{
    uint8_t *copy = malloc(length > 0 ? length : 1);

    if (!copy)
        abort();
    if (length > 0)
        memcpy(copy, bytes, length);
    write_last(copy, length);
    LLVMFuzzerTestOneInput(copy, length);
    free(copy);
}

static void run_changed(uint8_t *bytes, size_t length)
{
    size_t stride = length / CUTS_MAX + 1;

    run(bytes, length);
    for (size_t i = 0; i < length; i += stride) {
        static const uint8_t others[] = {0x00, 0x0a, 0x80, 0xff};
        uint8_t byte = bytes[i];

        run(bytes, i);
        for (size_t k = 0; k < sizeof(others); k++) {
            bytes[i] = others[k];
            run(bytes, length);
        }
        bytes[i] = byte ^ 0x01;
        run(bytes, length);
        bytes[i] = byte;
    }
}

static bool run_file(const char *path)
{
    FILE *in = fopen(path, "rb");
    uint8_t *bytes = malloc(1 << 20);
    size_t length;

    if (!in || !bytes) {
        printf("# cannot read %s\n", path);
        free(bytes);
        if (in)
            fclose(in);
        return false;
    }
    length = fread(bytes, 1, 1 << 20, in);
    fclose(in);
    run_changed(bytes, length);
    free(bytes);
    return true;
}

static int is_file(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
    unsigned number = 0, failed = 0;

    setvbuf(stdout, NULL, _IOLBF, 0);
    run(NULL, 0);
    for (int i = 1; i < argc; i++) {
        struct dirent **entries;
        int n = scandir(argv[i], &entries, is_file, alphasort);

        for (int k = 0; k < n; k++) {
            char path[4096];

            snprintf(path, sizeof(path), "%s/%s", argv[i], entries[k]->d_name);
            bool good = run_file(path);
            printf("%s %u - %s\n", good ? "ok" : "not ok", ++number, entries[k]->d_name);
            failed += !good;
            free(entries[k]);
        }
        if (n >= 0)
            free(entries);
    }
    printf("1..%u\n", number);
    if (number == 0)
        printf("# no corpus\n");
    return failed > 0 || number == 0;
}
