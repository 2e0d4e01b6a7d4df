/* trouble.c - what the system refused, said to the one who typed the command. */
#include "router/classify/trouble.h"

#include <errno.h>

#include "common/base/rc.h"

void trouble_tell(const char *path, FILE *err)
{
    struct fault fault;
    (void)fault_set(&fault, RC_IO, errno, "%s", path);
    (void)fprintf(err, "%s\n", fault.text);
}
