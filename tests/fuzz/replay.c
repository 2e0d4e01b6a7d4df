/*
 * replay.c - runs a fuzz target over its corpus without a fuzzer, so that every
 * compiler and every ordinary test run sees the inputs that once mattered.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/mem.h"

#define INPUT_MAX (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *folder, const char *name)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        return 1;
    }
    /* The exact size on the heap: a sanitizer sees one byte too many. */
    uint8_t *all = mem_new(INPUT_MAX, 1);
    size_t size = fread(all, 1, INPUT_MAX, file);
    uint8_t *exact = mem_new(size + (size == 0), 1);
    for (size_t i = 0; i < size; i++)
        exact[i] = all[i];
    (void)LLVMFuzzerTestOneInput(exact, size);
    mem_free(exact);
    mem_free(all);
    (void)fclose(file);
    return 0;
}

int main(int argc, char **argv)
{
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    if (!folder) {
        (void)fprintf(stderr, "usage: %s CORPUS-FOLDER\n", argv[0]);
        return 64;
    }
    int count = 0;
    int failed = 0;
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (entry->d_name[0] == '.')
            continue;
        failed |= replay_file(argv[1], entry->d_name);
        count++;
    }
    (void)closedir(folder);
    printf("%d inputs\n", count);
    return failed || count == 0;
}
