#include "net/tls_inside.h"

#include <openssl/err.h>

int tls_connect_context_open(const struct tls_connect_options *o, struct buf *why, struct ssl_ctx_st **ret_context)
{
    const char *file = o->authorities;
    SSL_CTX *c = SSL_CTX_new(TLS_client_method());
    int error = c && SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION) == 1 ? 0
                                                                           : tls_say_openssl(why, "OpenSSL", "no TLS");
    if (!error && !o->anybody && file && SSL_CTX_load_verify_file(c, file) != 1)
        error = tls_say_openssl(why, file, "holds no certificate that can be read");
    if (!error && !o->anybody && !file && SSL_CTX_set_default_verify_paths(c) != 1)
        error = tls_say_openssl(why, "OpenSSL", "no list of authorities");
    if (error) {
        SSL_CTX_free(c);
        return error;
    }
    SSL_CTX_set_verify(c, o->anybody ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_options(c, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
    *ret_context = c;
    return 0;
}
