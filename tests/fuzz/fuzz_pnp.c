/* A phone that asks by PnP (phone/pnp.h): whatever comes, it ends in time, and a URL is one that can be fetched. The input
 * is datagrams, a line `\n--\n` between them. */
#include "fuzz.h"

#include "base/url.h"
#include "phone/pnp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct model *model;
    if (!model)
        model = model_find(SLICE("W52P"));
    struct identity id = { { { 0x00, 0x15, 0x65, 0x74, 0xb1, 0x6e } }, model, { { 25, 81, 0, 10 } } };
    union address local, server;
    struct slice rest = slice_of(data, size);
    struct pnp p;
    struct url url;
    char bytes[2 * PNP_MESSAGE_BYTES_MAX];
    MUST(model && address_parse(SLICE("10.2.20.73"), 5059, &local) && address_parse(SLICE("10.2.1.199"), 5062, &server));
    struct pnp_identity who = { &id, SLICE_NONE, &local, 1681692777, 0, false };
    MUST(pnp_start(&p, &who, 0));
    for (uint64_t now_ms = 1; rest.len; now_ms += 400) {
        struct buf out = BUF_ON(bytes);
        size_t end = slice_find_text(rest, SLICE("\n--\n"));
        pnp_receive(&p, &server, slice_first(slice_first(rest, end), PNP_MESSAGE_BYTES_MAX), now_ms, &out);
        MUST(out.len == 0 || slice_starts(buf_slice(&out), SLICE("SIP/2.0 200 ")));
        rest = slice_from(rest, end + 4);
        pnp_timeout(&p, now_ms);
        MUST(p.state != PNP_ASKING || pnp_due_ms(&p) <= PNP_TIMEOUT_MS);
    }
    pnp_timeout(&p, PNP_TIMEOUT_MS);
    MUST(p.state != PNP_ASKING && p.why);
    MUST((p.state == PNP_FOUND) == (p.url_len > 0));
    MUST(p.state != PNP_FOUND || url_parse(pnp_url(&p), &url));
    return 0;
}
