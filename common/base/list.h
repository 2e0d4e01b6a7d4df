/*
 * list.h - a doubly linked list through its members.
 *
 * The link sits inside the member; the list owns nothing. A link that is in no
 * list points at itself, so that list_remove may be called on it.
 */
#ifndef COMMON_BASE_LIST_H
#define COMMON_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"

struct list {
    struct list *prev;
    struct list *next;
};

static inline void list_init(struct list *link)
{
    link->prev = link;
    link->next = link;
}

static inline bool list_is_empty(const struct list *head)
{
    return head->next == head;
}

/* Puts `link` right before `where`; before the head means at the back. */
static inline void list_insert(struct list *where, struct list *link)
{
    link->prev = where->prev;
    link->next = where;
    where->prev->next = link;
    where->prev = link;
}

static inline void list_push_back(struct list *head, struct list *link)
{
    list_insert(head, link);
}

static inline void list_push_front(struct list *head, struct list *link)
{
    list_insert(head->next, link);
}

static inline void list_remove(struct list *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    list_init(link);
}

/* Takes the first link out; NULL when the list is empty. */
static inline struct list *list_take(struct list *head)
{
    struct list *first = head->next;
    if (first == head)
        return NULL;
    list_remove(first);
    return first;
}

/* Visits every link; `at` itself may be removed in the body. */
#define list_each(at, head)                                                    \
    for (struct list *at = (head)->next, *at##_next = at->next; at != (head);  \
         at = at##_next, at##_next = at->next)

/* Walks them all. */
static inline size_t list_count(const struct list *head)
{
    size_t count = 0;
    list_each (link, head)
        count++;
    return count;
}

#endif
