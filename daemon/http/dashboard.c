/* GET /: the operator's page. */
#include "http/api_private.h"

void api_dashboard(struct api_call *call)
{
    answer_error(call, false, 503, "no page yet");
}
