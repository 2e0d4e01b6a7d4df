/* witnesses.c - messages that tell what a template did, for people. */
#include "router/templates/witnesses.h"

#include <string.h>

static void remove_at(struct witnesses *witnesses, uint32_t at)
{
    memmove(&witnesses->items[at], &witnesses->items[at + 1],
            (witnesses->count - at - 1) * sizeof witnesses->items[0]);
    witnesses->count--;
}

/* How many the template has; *oldest is the first of them. */
static uint32_t count_of(const struct witnesses *witnesses, uint64_t template,
                         uint32_t *oldest)
{
    uint32_t count = 0;
    for (uint32_t i = witnesses->count; i-- > 0;)
        if (witnesses->items[i].template == template) {
            *oldest = i;
            count++;
        }
    return count;
}

void witnesses_add(struct witnesses *witnesses, uint64_t template,
                   uint64_t message)
{
    uint32_t oldest = 0;
    if (count_of(witnesses, template, &oldest) == WITNESSES_EACH)
        remove_at(witnesses, oldest);
    else if (witnesses->count == WITNESSES_MAX)
        remove_at(witnesses, 0);
    witnesses->items[witnesses->count++] =
        (struct witness){ .template = template, .message = message };
}

void witnesses_of(const struct witnesses *witnesses, uint64_t template,
                  uint64_t messages[WITNESSES_EACH])
{
    uint32_t count = 0;
    memset(messages, 0, WITNESSES_EACH * sizeof *messages);
    for (uint32_t i = 0; i < witnesses->count; i++)
        if (witnesses->items[i].template == template)
            messages[count++] = witnesses->items[i].message;
}
