/* RecordIO: a stream cut into pieces gives the same records as the stream in one piece. */
#include "fuzz.h"
#include "mesos/recordio.h"

struct digest {
    int end; /* 0 or the error */
    unsigned records;
    uint64_t sum;
};

static struct digest read_all(const uint8_t *data, size_t size, size_t piece)
{
    struct recordio reader;
    struct digest digest = {.sum = 1469598103934665603u};

    recordio_init(&reader);
    for (size_t at = 0; at < size && digest.end == 0; at += piece) {
        const uint8_t *bytes = data + at;
        size_t rest = size - at < piece ? size - at : piece;
        const uint8_t *record;
        size_t length;
        int r;

        while ((r = recordio_next(&reader, &bytes, &rest, &record, &length)) == 1) {
            digest.records++;
            for (size_t i = 0; i < length; i++)
                digest.sum = (digest.sum ^ record[i]) * 1099511628211u;
            digest.sum = (digest.sum ^ length) * 1099511628211u;
        }
        must(r <= 0);
        must(r != 0 || rest == 0);
        digest.end = r;
    }
    recordio_deinit(&reader);
    return digest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct digest whole = read_all(data, size, size > 0 ? size : 1);

    for (size_t piece = 1; piece <= 7; piece += 2) {
        struct digest cut = read_all(data, size, piece);

        must(cut.end == whole.end);
        must(cut.records == whole.records);
        must(cut.sum == whole.sum);
    }
    return 0;
}
