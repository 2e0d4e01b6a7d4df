/*
 * metrics.h - `sendyard metrics`: the router's totals, as Prometheus reads them.
 *
 * Text exposition format 0.0.4. It asks once and prints; a timer that writes
 * it to a file of node_exporter's textfile collector makes a scrape of it. Labels
 * are names of the config and constant words, so their number is bounded.
 */
#ifndef ROUTER_CONTROL_METRICS_H
#define ROUTER_CONTROL_METRICS_H

#include <stdio.h>

int command_metrics(int argc, char *const *argv, FILE *out, FILE *err);

#endif
