/* The linked library's version. */
#include <quobyte-mesos/version.h>

const char *qm_version(void)
{
    return QM_VERSION;
}
