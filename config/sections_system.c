/* sections_system.c - the tables of what the platform itself stands on. */
#include "common/base/attr.h"
#include "config/schema.h"

static const char *const levels[] = { "debug", "info", "warning", "error",
                                      NULL };

/* clang-format off */
static const struct schema_key spool_keys[] = {
    { "path", TYPE_PATH, AT(conf_spool, path),
      .initial = "/var/lib/sendyard/spool", .foreign = "spool_dir",
      .help = "Folder of the segments." },
    { "segment_size", TYPE_SIZE, AT(conf_spool, segment_size),
      .initial = "64MB", .min = 1 << 20, .max = UINT64_C(1) << 32,
      .help = "Size of a segment file." },
    { "body_cache", TYPE_SIZE, AT(conf_spool, body_cache),
      .initial = "256MB", .help = "Bodies kept in memory." },
    { "min_free", TYPE_SIZE, AT(conf_spool, min_free), .initial = "1GB",
      .foreign = "spool_min_free_space",
      .help = "With less free space new mail gets 452." },
    { "min_free_inodes", TYPE_COUNT, AT(conf_spool, min_free_inodes),
      .initial = "1000", .help = "The same for inodes." },
    { "hard_free", TYPE_SIZE, AT(conf_spool, hard_free),
      .otherwise = "a quarter of min_free",
      .help = "With less free space no message is written any more, not even "
              "one whose transaction had begun." },
    { "hard_free_inodes", TYPE_COUNT, AT(conf_spool, hard_free_inodes),
      .otherwise = "a quarter of min_free_inodes",
      .help = "The same for inodes." },
    { "max_recipients", TYPE_COUNT, AT(conf_spool, max_recipients),
      .initial = "5000000", .min = 1, .max = UINT32_MAX,
      .foreign = "spool_max_recipients",
      .help = "Recipients queued in all; from there on new mail gets 452. A message "
              "that waits takes 80 bytes of memory: 5,000,000 take 0.4 GB." },
};

static const struct schema_key resolver_keys[] = {
    { "address", TYPE_ENDPOINT, AT(conf_resolver, address),
      .initial = "127.0.0.1:53", .min = 1,
      .help = "A resolver that caches, and validates if it can." },
    { "timeout", TYPE_DURATION, AT(conf_resolver, timeout_ms),
      .initial = "3s", .min = 10, .max = 60000,
      .help = "Wait for one answer." },
    { "tries", TYPE_COUNT, AT(conf_resolver, tries), .initial = "3",
      .min = 1, .max = 10, .help = "Questions before it counts as failed." },
    { "max_ttl", TYPE_DURATION, AT(conf_resolver, max_ttl_ms),
      .initial = "1h", .max = 86400000,
      .help = "Answers are asked for again after at most this." },
};

static const struct schema_key state_keys[] = {
    { "redis", TYPE_TEXT, AT(conf_state, redis), .initial = "private",
      .foreign = "url",
      .help = "\"private\": `sendyard serve` starts one of its own. Else a "
              "URL: redis://HOST:PORT, rediss://HOST:PORT (TLS), unix://PATH, "
              "sentinel://HOST:PORT,HOST:PORT/MASTER, sentinels://... (TLS)." },
    { "user", TYPE_TEXT, AT(conf_state, user), .otherwise = "the default user",
      .foreign = "username", .help = "ACL user at Redis." },
    { "password_file", TYPE_PATH, AT(conf_state, password_file),
      .needs = NEED_ALL, .otherwise = "no password",
      .help = "File whose first line is the password." },
    { "ca_file", TYPE_PATH, AT(conf_state, ca_file), .needs = NEED_ALL,
      .otherwise = "the system's",
      .help = "Certificates (PEM) that Redis' one must be signed by." },
    { "prefix", TYPE_TEXT, AT(conf_state, prefix), .initial = "sendyard:",
      .help = "Prefix of every key." },
};

static const struct schema_key router_keys[] = {
    { "name", TYPE_NAME, AT(conf_router, name), .is_required = true,
      .help = "Its name; `sendyard-router` is told which one it is." },
    { "number", TYPE_COUNT, AT(conf_router, number), .is_required = true,
      .max = 1023, .foreign = "host_id",
      .help = "Part of its message ids: unique, and never given to another." },
    { "control", TYPE_ENDPOINT, AT(conf_router, control), .min = 1,
      .otherwise = "a Unix socket in run_dir",
      .help = "Loopback address of its HTTP API and metrics." },
    { "bus", TYPE_TEXT, AT(conf_router, bus), .foreign = "endpoint",
      .otherwise = "ipc:// and RUN_DIR/bus",
      .help = "ZeroMQ endpoint that it binds: ipc://PATH or tcp://IP:PORT; "
              "tcp beyond this host needs the keys of bus." },
};

static const struct schema_key bus_keys[] = {
    { "key_file", TYPE_PATH, AT(conf_bus, key_file), .needs = NEED_ALL,
      .otherwise = "no encryption: ipc or loopback only",
      .help = "File with the CURVE secret key of this host's process." },
    { "workers", TYPE_TEXTS, AT(conf_bus, workers), .foreign = "worker_keys",
      .help = "CURVE public keys of the workers that are let in." },
    { "router_key", TYPE_TEXT, AT(conf_bus, router_key),
      .foreign = "server_key", .help = "CURVE public key of the routers." },
    { "beat", TYPE_DURATION, AT(conf_bus, beat_ms), .initial = "1s",
      .min = 10, .max = 60000, .foreign = "heartbeat",
      .help = "Time between signs of life." },
    { "lease", TYPE_DURATION, AT(conf_bus, lease_ms), .initial = "6s",
      .min = 30, .max = 600000,
      .help = "Silence after which a worker's jobs go to others; three beats "
              "at least." },
};

static const struct schema_key log_keys[] = {
    { "level", TYPE_CHOICE, AT(conf_log, level), .initial = "info",
      .choices = levels, .foreign = "log_level",
      .help = "What is logged to stderr." },
    { "events", TYPE_PATH, AT(conf_log, events), .initial = "-",
      .foreign = "acct_file",
      .help = "File of the event log, one line per event; \"-\" is stdout." },
};

const struct schema_section schema_spool = {
    .name = "spool", .noun = "spool", .help = "Where accepted mail is kept.",
    .size = sizeof(struct conf_spool), .has_place = true,
    .keys = spool_keys, .key_count = ARRAY_LEN(spool_keys),
};

const struct schema_section schema_resolver = {
    .name = "resolver", .noun = "resolver", .help = "The DNS resolver.",
    .size = sizeof(struct conf_resolver), .has_place = true,
    .keys = resolver_keys, .key_count = ARRAY_LEN(resolver_keys),
};

const struct schema_section schema_state = {
    .name = "state", .noun = "state",
    .help = "Redis, where workers share limits and backoff.",
    .size = sizeof(struct conf_state), .has_place = true,
    .keys = state_keys, .key_count = ARRAY_LEN(state_keys),
};

const struct schema_section schema_routers = {
    .name = "routers", .noun = "router",
    .help = "The routers of the cluster. Without any: \"router-1\", number 1.",
    .size = sizeof(struct conf_router), .has_place = true,
    .keys = router_keys, .key_count = ARRAY_LEN(router_keys),
};

const struct schema_section schema_bus = {
    .name = "bus", .noun = "bus", .help = "How routers and workers talk.",
    .size = sizeof(struct conf_bus), .has_place = true,
    .keys = bus_keys, .key_count = ARRAY_LEN(bus_keys),
};

const struct schema_section schema_log = {
    .name = "log", .noun = "log", .help = "The log and the event log.",
    .size = sizeof(struct conf_log), .has_place = true,
    .keys = log_keys, .key_count = ARRAY_LEN(log_keys),
};
/* clang-format on */
