/* shelf.c - the folder of samples that the operator corrected. */
#include "router/classify/shelf.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/file.h"
#include "router/classify/trouble.h"

#define OWNER_ONLY        0600
#define OWNER_ONLY_FOLDER 0700

static bool name_of(const char *folder, enum model_class class,
                    const struct sketch *sketch, const char *ending,
                    char path[PATH_MAX])
{
    int len = snprintf(path, PATH_MAX, "%s/%s/%016" PRIx64 "-%016" PRIx64 "%s",
                       folder, model_class_name(class), sketch->text_hash,
                       sketch->skeleton, ending);
    return len > 0 && len < PATH_MAX;
}

static bool make_folder(const char *path)
{
    return mkdir(path, OWNER_ONLY_FOLDER) == 0 || errno == EEXIST;
}

static bool make_folders(const char *folder, enum model_class class)
{
    char path[PATH_MAX];
    return make_folder(folder)
           && snprintf(path, sizeof path, "%s/%s", folder,
                       model_class_name(class))
                  < (int)sizeof path
           && make_folder(path);
}

/* Under another name first, one that `train` passes over (bag.h). */
static bool write_message(const char *beside, const char *path,
                          struct slice message)
{
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, OWNER_ONLY);
    bool is_written = fd >= 0 && file_write(fd, message);
    is_written &= fd >= 0 && close(fd) == 0;
    return is_written && rename(beside, path) == 0;
}

bool shelf_keep(const char *folder, enum model_class class,
                const struct sketch *sketch, struct slice message, FILE *err)
{
    char path[PATH_MAX];
    char beside[PATH_MAX];
    errno = ENAMETOOLONG;
    if (!make_folders(folder, class)
        || !name_of(folder, class, sketch, ".eml", path)
        || !name_of(folder, class, sketch, ".new", beside)
        || !write_message(beside, path, message)) {
        trouble_tell(folder, err);
        return false;
    }
    for (unsigned c = 0; c < MODEL_CLASSES; c++)
        if (c != class
            && name_of(folder, (enum model_class)c, sketch, ".eml", path))
            (void)unlink(path); /* mostly there is none */
    return true;
}
