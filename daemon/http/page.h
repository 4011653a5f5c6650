/* The dashboard's page: what its rooms share. Embedded text comes from page.css and page.js. */
#ifndef DAEMON_HTTP_PAGE_H
#define DAEMON_HTTP_PAGE_H

#include <stdio.h>

#include <quobyte-mesos.h>

#include "http/front.h"
#include "http/html.h"

struct page {
    FILE *out;
    const char *deployment;
    const struct front_status *status;
    const struct qm_plan_view *plan;
    const struct qm_cluster_view *cluster;
    const struct qm_offer_outcomes *offers;
};

/* Generated from page.css and page.js at build time, with their digests in the policy. */
extern const char page_style[], page_script[], page_policy[];

void page_write(const struct page *page);

void page_attention(const struct page *page);
void page_plan(const struct page *page);
void page_services(const struct page *page);
void page_hosts(const struct page *page);
void page_offers(const struct page *page);

/** page_words() - an operator's words and the end of the order; why NULL: there is none. */
void page_words(const struct page *page, const char *why, qm_time until);
/** page_reason() - the reason in words, with how long it holds: "... (for 2 min)". */
void page_reason(const struct page *page, const struct qm_reason *reason);

/** page_task_trouble() - what is wrong with a task, in a word or two; NULL when nothing is. */
const char *page_task_trouble(const struct qm_task_view *task);

/** page_open() - opens a <details>; @name tells it apart, so that it stays open over refreshes. */
void page_open(const struct page *page, const char *kind, const char *name, bool open);

#endif
