/* multipart/form-data (RFC 7578, RFC 2046 5.1): what a browser's form or `curl -F` sends, as it comes.
 *
 * A streaming reader: the data of a part is handed out in pieces that borrow from the input, or from the delimiter
 * when what looked like one was none; only the header lines of one part are kept. The verdict and the data do not
 * depend on how the bytes are cut. Lines end in CRLF and nothing else. Nested multipart bodies are data.
 *
 * The filename is what the sender says, not decoded, and no path of anything: whoever uses it checks it. `filename*`
 * is not looked at, as RFC 7578 4.2 asks. */
#ifndef DIALTONE_PROTO_HTTP_FORM_H
#define DIALTONE_PROTO_HTTP_FORM_H

#include "base/slice.h"

/* RFC 2046 5.1.1. */
#define HTTP_BOUNDARY_BYTES_MAX 70
/* Header lines of one part; browsers send some 150 bytes. */
#define HTTP_FORM_HEAD_BYTES_MAX 1024
#define HTTP_FORM_PARTS_MAX 32
/* Before the first delimiter; nobody sends any. */
#define HTTP_FORM_PREAMBLE_BYTES_MAX 1024

enum http_form_answer {
    HTTP_FORM_MORE, /* the input is used up */
    HTTP_FORM_PART, /* a part begins: is_file and filename are of it */
    HTTP_FORM_DATA, /* of the present part; at least a byte, good until the next call */
    HTTP_FORM_END,  /* the last part is whole; what follows is of no meaning */
    HTTP_FORM_REFUSED
};

/* About 1.2 KiB; holds no pointer into itself but filename. */
struct http_form {
    const char *reason; /* of a refusal; static */
    bool is_file;       /* the part has a filename that is not empty */
    struct slice filename; /* good until the next part */
    uint16_t head_len;
    uint16_t preamble; /* bytes */
    uint8_t state;
    uint8_t parts;
    uint8_t matched;       /* bytes of the delimiter that were seen */
    uint8_t delimiter_len; /* bytes */
    char delimiter[4 + HTTP_BOUNDARY_BYTES_MAX];
    char head[HTTP_FORM_HEAD_BYTES_MAX];
};

/* `content_type` is the request's, `multipart/form-data; boundary=...`. False: there is no boundary in it that RFC
 * 2046 knows. */
bool http_form_start(struct http_form *f, struct slice content_type);
/* Takes what it uses off the front of *input. To be called again until HTTP_FORM_MORE. */
enum http_form_answer http_form_next(struct http_form *f, struct slice *input, struct slice *ret_data);

/* The type of `text/plain; charset=x` without its parameters. */
struct slice http_media_type(struct slice value);
/* The value of a parameter in such a text, without its quotes; what a backslash stands before stays as it is. False:
 * there is none, or the text is malformed up to there. */
bool http_media_parameter(struct slice value, struct slice name, struct slice *ret_value);

#endif
