#include "phone/ring_memory.h"

#include <openssl/evp.h>
#include <stdlib.h>

bool ring_key_of(const struct sip_message *request, const union address *from, struct arena *arena,
                 struct ring_key *ret_key)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    char *room = arena_alloc(arena, SIP_KEY_BYTES_MAX);
    struct buf text = buf_on(room, room ? SIP_KEY_BYTES_MAX : 0);
    address_print(from, &text);
    buf_byte(&text, ' ');
    sip_transaction_key(request, &text);
    if (!room || !buf_ok(&text) || EVP_Digest(text.ptr, text.len, digest, NULL, EVP_sha256(), NULL) != 1)
        return false;
    memcpy(ret_key->bytes, digest, sizeof ret_key->bytes);
    return true;
}

bool ring_memory_find(const struct ring_memory *m, const struct ring_key *key, uint64_t now_ms,
                      struct slice *ret_answer)
{
    for (size_t i = 0; i < RING_REMEMBERED; i++)
        if (memcmp(&m->entries[i].key, key, sizeof *key) == 0)
            return sip_server_asked_again(&m->entries[i].server, now_ms, ret_answer);
    return false;
}

static void forget(struct ring_remembered *e)
{
    free((char *)(uintptr_t)e->server.answer.ptr);
    *e = (struct ring_remembered){ 0 };
}

bool ring_memory_add(struct ring_memory *m, const struct ring_key *key, struct slice answer, uint64_t now_ms)
{
    struct ring_remembered *e = &m->entries[m->next];
    char *copy = malloc(answer.len);
    if (!copy)
        return false;
    memcpy(copy, answer.ptr, answer.len);
    for (size_t i = 0; i < RING_REMEMBERED; i++)
        if (memcmp(&m->entries[i].key, key, sizeof *key) == 0)
            forget(&m->entries[i]);
    forget(e);
    e->key = *key;
    sip_server_answered(&e->server, slice_of(copy, answer.len), false, now_ms);
    m->next = (m->next + 1) % RING_REMEMBERED;
    return true;
}

void ring_memory_clear(struct ring_memory *m)
{
    for (size_t i = 0; i < RING_REMEMBERED; i++)
        forget(&m->entries[i]);
}
