/* Values as their keys' types want them: from text to a normal form and a number. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "alloc.h"
#include "config_store.h"
#include "decimal.h"
#include "fail.h"
#include "text.h"

#define MAX_VALUE 65536 /* bytes of one value */

struct value_request {
    const struct qm_config_key *about;
    const char *key;
    const char *text;
    const struct qm_allocator *allocator;
    char **value;
    int64_t *number;
    struct qm_error *error;
};

static int finish(const struct value_request *request, const char *normal, int64_t number)
{
    *request->value = qm_strdup(request->allocator, normal);
    *request->number = number;
    return *request->value ? 0 : -ENOMEM;
}

static int refuse(const struct value_request *request, const char *wanted)
{
    /* A secret's value must not get into a log by being mistyped. */
    if (request->about->secret)
        return qm_fail(request->error, QM_E_INVALID, request->key, "expected %s", wanted);
    return qm_fail(request->error, QM_E_INVALID, request->key, "expected %s, not \"%.80s\"", wanted,
                   request->text);
}

static int parse_bool(const struct value_request *request)
{
    static const char *const words[2][4] = {{"false", "no", "off", "0"},
                                            {"true", "yes", "on", "1"}};

    for (int truth = 0; truth < 2; truth++) {
        for (size_t i = 0; i < 4; i++) {
            if (strcasecmp(request->text, words[truth][i]) == 0)
                return finish(request, words[truth][0], truth);
        }
    }
    return refuse(request, "true or false");
}

/* Optional sign and digits, nothing else. */
static bool read_integer(const char *p, int64_t *number)
{
    bool negative = *p == '-';
    int64_t n = 0;

    p += negative;
    if (*p == '\0')
        return false;
    for (; *p != '\0'; p++) {
        if (*p < '0' || *p > '9' || __builtin_mul_overflow(n, 10, &n) ||
            __builtin_add_overflow(n, *p - '0', &n))
            return false;
    }
    *number = negative ? -n : n;
    return true;
}

static int parse_integer(const struct value_request *request)
{
    const struct qm_config_key *about = request->about;
    bool bounded = about->min != 0 || about->max != 0;
    char wanted[96] = "a whole number";
    char normal[32];
    int64_t n;

    if (about->type == QM_CONFIG_BUDGET && strcasecmp(request->text, "unlimited") == 0)
        return finish(request, "unlimited", INT64_MAX);
    if (bounded)
        snprintf(wanted, sizeof(wanted), "a whole number from %lld to %lld%s",
                 (long long)about->min, (long long)about->max,
                 about->type == QM_CONFIG_BUDGET ? " or unlimited" : "");
    if (!read_integer(request->text, &n) || (bounded && (n < about->min || n > about->max)))
        return refuse(request, wanted);
    snprintf(normal, sizeof(normal), "%lld", (long long)n);
    return finish(request, normal, n);
}

static int parse_seconds(const struct value_request *request)
{
    const struct qm_config_key *about = request->about;
    bool bounded = about->min != 0 || about->max != 0;
    const char *p = request->text;
    char wanted[96] = "seconds as a number";
    char normal[48];
    uint64_t ms;

    if (bounded)
        snprintf(wanted, sizeof(wanted), "seconds as a number from %lld to %lld",
                 (long long)about->min, (long long)about->max);
    if (!qm_decimal_parse(&p, UINT64_C(100000000000), &ms) || *p != '\0')
        return refuse(request, wanted);
    if (bounded && (ms < (uint64_t)about->min * 1000 || ms > (uint64_t)about->max * 1000))
        return refuse(request, wanted);
    qm_decimal_format(ms, normal, sizeof(normal));
    return finish(request, normal, (int64_t)ms);
}

static int parse_resources(const struct value_request *request)
{
    struct qm_resources resources;
    struct qm_error error;
    char normal[128];

    if (qm_resources_parse(request->text, &resources, &error) != 0)
        return qm_fail(request->error, QM_E_INVALID, request->key, "%s", error.message);
    qm_resources_format(&resources, normal, sizeof(normal));
    return finish(request, normal, 0);
}

static int parse_choice(const struct value_request *request)
{
    const char *word = request->about->choices;
    char wanted[160];

    for (;;) {
        size_t length = strcspn(word, "|");

        if (strlen(request->text) == length && strncasecmp(request->text, word, length) == 0) {
            char normal[64];

            snprintf(normal, sizeof(normal), "%.*s", (int)length, word);
            return finish(request, normal, 0);
        }
        if (word[length] == '\0')
            break;
        word += length + 1;
    }
    snprintf(wanted, sizeof(wanted), "one of %s", request->about->choices);
    return refuse(request, wanted);
}

/* Checks one line of a MAP: NAME=VALUE with a name that an environment can have. */
static bool is_variable(const char *line, size_t length)
{
    const char *equals = memchr(line, '=', length);

    if (!equals || equals == line || (line[0] >= '0' && line[0] <= '9'))
        return false;
    for (const char *p = line; p < equals; p++) {
        if (!qm_is_alnum(*p) && *p != '_')
            return false;
    }
    return true;
}

/* LIST and MAP: items apart by commas or line ends; blanks around them and empty ones go. */
static int parse_lines(const struct value_request *request)
{
    bool is_map = request->about->type == QM_CONFIG_MAP;
    /* What YAML gave is in lines already, and its commas belong to the items. */
    const char *separators = strchr(request->text, '\n') ? "\n" : ",";
    char *normal = qm_alloc(request->allocator, strlen(request->text) + 1);
    size_t used = 0;

    if (!normal)
        return -ENOMEM;
    for (const char *p = request->text; *p != '\0';) {
        size_t length = strcspn(p, separators);
        const char *item = p;
        size_t n = length;

        p += length + (p[length] != '\0');
        qm_trim(&item, &n);
        if (n == 0)
            continue;
        if (is_map && !is_variable(item, n)) {
            qm_free(request->allocator, normal);
            return qm_fail(request->error, QM_E_INVALID, request->key,
                           "expected NAME=VALUE, not \"%.*s\"", (int)(n < 80 ? n : 80), item);
        }
        if (used > 0)
            normal[used++] = '\n';
        memcpy(normal + used, item, n);
        used += n;
    }
    normal[used] = '\0';
    *request->value = normal;
    *request->number = 0;
    return 0;
}

static int check_bytes(const struct value_request *request)
{
    bool lines = request->about->type == QM_CONFIG_LIST || request->about->type == QM_CONFIG_MAP;
    size_t length = strlen(request->text);

    if (length > MAX_VALUE)
        return qm_fail(request->error, QM_E_INVALID, request->key, "longer than %d bytes",
                       MAX_VALUE);
    if (!qm_is_utf8(request->text, length))
        return qm_fail(request->error, QM_E_INVALID, request->key, "not UTF-8");
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)request->text[i];

        if ((c < 0x20 && !(lines && c == '\n')) || c == 0x7f)
            return qm_fail(request->error, QM_E_INVALID, request->key,
                           "control character (byte 0x%02x)", c);
    }
    return 0;
}

int qm_config_value_parse(const struct qm_config_key *about, const char *key, const char *text,
                          const struct qm_allocator *allocator, char **value, int64_t *number,
                          struct qm_error *error)
{
    struct value_request request = {about, key, text, allocator, value, number, error};
    int r = check_bytes(&request);

    if (r != 0)
        return r;
    switch (about->type) {
    case QM_CONFIG_TEXT:
        return finish(&request, text, 0);
    case QM_CONFIG_BOOL:
        return parse_bool(&request);
    case QM_CONFIG_INTEGER:
    case QM_CONFIG_BUDGET:
        return parse_integer(&request);
    case QM_CONFIG_SECONDS:
        return parse_seconds(&request);
    case QM_CONFIG_RESOURCES:
        return parse_resources(&request);
    case QM_CONFIG_LIST:
    case QM_CONFIG_MAP:
        return parse_lines(&request);
    case QM_CONFIG_CHOICE:
        return parse_choice(&request);
    }
    return qm_fail(error, QM_E_INVALID, key, "has no type");
}
