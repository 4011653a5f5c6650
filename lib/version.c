/* The linked library's version, and which texts can be a version of Quobyte. */
#include <quobyte-mesos/fact.h>
#include <quobyte-mesos/version.h>

#include "text.h"

const char *qm_version(void)
{
    return QM_VERSION;
}

bool qm_version_is_valid(const char *text)
{
    /* A Docker tag's own rule: [A-Za-z0-9_][A-Za-z0-9_.-]{0,127}. */
    return qm_is_word(text, 128, "_.-") && text[0] != '.' && text[0] != '-';
}
