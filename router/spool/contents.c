/* contents.c - reading what a segment's file holds. */
#include "router/spool/contents.h"

#include "common/base/mem.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

bool contents_read(void *segment, uint64_t offset, char *bytes, size_t len)
{
    const struct segment *from = segment;
    while (len > 0) {
        const ssize_t got = pread(from->fd, bytes, len, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got == 0)
            errno = 0; /* shorter than it was */
        if (got <= 0)
            return false;
        bytes += got;
        offset += (uint64_t)got;
        len -= (size_t)got;
    }
    return true;
}

struct walk_input contents_input(struct segment *segment)
{
    return (struct walk_input){
        .source = { .read = contents_read,
                    .context = segment,
                    .end = segment->end },
        .epoch = segment->epoch,
    };
}

enum rc contents_read_body(struct segment *segment, uint64_t offset,
                           uint64_t id, struct body **body, struct fault *fault)
{
    char header[RECORD_HEADER_SIZE];
    struct record record;
    if (!contents_read(segment, offset, header, sizeof header))
        return fault_set(fault, RC_IO, errno, "read message %" PRIu64, id);
    if (!record_decode(header, record_seed(segment->epoch, offset), &record)
        || record.id != id)
        return fault_set(fault, RC_SYNTAX, 0, "message %" PRIu64 " is damaged",
                         id);

    scoped(mem_free_at) char *bytes = mem_new((size_t)record.body_len + 1, 1);
    offset += RECORD_HEADER_SIZE + record.payload_len;
    if (!contents_read(segment, offset, bytes, record.body_len))
        return fault_set(fault, RC_IO, errno, "read message %" PRIu64, id);
    if (record_sum(slice_of(bytes, record.body_len)) != record.body_sum)
        return fault_set(fault, RC_SYNTAX, 0,
                         "the body of message %" PRIu64 " is damaged", id);
    *body = body_new(steal(bytes), record.body_len);
    return RC_OK;
}
