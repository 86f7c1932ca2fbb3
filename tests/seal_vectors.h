/* Encrypted bytes that the openssl command made (facts.md 1.4), and a pair of RSA keys made for these tests alone. */
#ifndef DIALTONE_TESTS_SEAL_VECTORS_H
#define DIALTONE_TESTS_SEAL_VECTORS_H

#include "base/slice.h"

#define SEALED_PLAIN SLICE("#!version:1.0.0.1\naccount.1.enable = 1\n")
#define SEALED_KEY SLICE("Ab3$_0123456789z")
#define SEALED_LONG_KEY SLICE("0123456789ABCDEFghijklmnopqrstuv")

#define SEALED_SPACES \
    SLICE("\x64\x8c\x4e\x50\xba\x64\xd7\xbe\xbb\x97\xa3\x16\xf1\x5a\xeb\x1b" \
          "\x8e\x6b\xae\xb7\x6a\xb7\x11\x7a\x2b\xa4\x3f\x70\x26\x90\x79\xc1" \
          "\xb4\xbb\x96\xb8\x60\x34\xde\x64\xeb\x29\x3f\xd7\x8b\xb2\x59\x45")
#define SEALED_PKCS7 \
    SLICE("\x64\x8c\x4e\x50\xba\x64\xd7\xbe\xbb\x97\xa3\x16\xf1\x5a\xeb\x1b" \
          "\x8e\x6b\xae\xb7\x6a\xb7\x11\x7a\x2b\xa4\x3f\x70\x26\x90\x79\xc1" \
          "\x18\xef\x78\xf0\xcd\xf0\xfb\x43\x5d\x15\xdd\x27\x40\x39\xe4\xfb")
#define SEALED_NULS \
    SLICE("\x64\x8c\x4e\x50\xba\x64\xd7\xbe\xbb\x97\xa3\x16\xf1\x5a\xeb\x1b" \
          "\x8e\x6b\xae\xb7\x6a\xb7\x11\x7a\x2b\xa4\x3f\x70\x26\x90\x79\xc1" \
          "\x5e\x5a\x99\x00\xc0\xe4\x1c\xd2\x10\x5b\x99\xf5\xf7\x31\xc5\x57")
#define SEALED_SECURITY_ENC \
    SLICE("\xbb\xae\xe7\xdc\x5d\x2a\xfd\x13\x61\x12\x1f\x52\x30\x7e\xb3\x5e")
#define SEALED_LONG \
    SLICE("\x0e\x5f\x6a\xb3\x86\x9b\xfb\x5a\xa1\xca\x0c\xfe\x63\x80\x8b\x54" \
          "\x91\x87\x10\x2b\xaf\x52\xcd\xa3\x92\x53\x3c\x36\x42\xfd\xac\xea" \
          "\x15\x36\xad\x14\xe1\x4c\x43\xe0\xd1\xb5\x0a\x63\xe8\xb2\x65\xd2")
#define SEALED_ALIGNED_LAST \
    SLICE("\x56\xd9\xa8\x40\x1b\x08\xc2\xfa\x5d\x13\xc8\xc8\x07\xb0\x11\x7d")

#define SEALED_PRIVATE_PEM \
    SLICE("-----BEGIN PRIVATE KEY-----\n" \
          "MIICdwIBADANBgkqhkiG9w0BAQEFAASCAmEwggJdAgEAAoGBAMbHWKPE9lGYtAPQ\n" \
          "7UYedYiDWGR59g0uj4XPGsaDGpDvRTYqKUyzdVIaz/BekWFwFUa6JhpcHGf5WbII\n" \
          "ZYqVhlKFXQpB6n/lywumVFFhV370OIHH+4PHOgJEncdhv1PiLvVLT1t76sTFHtaZ\n" \
          "Jd1ztxc25VEk7HDKTW3/ycajj6wzAgMBAAECgYEAsyknpmw3SvIkhjAAPCvl6YXg\n" \
          "3Kbkc5sctxEk4/l0r19JdXlowf4Z50fNVawWwsjgFGBhSW7uF3SyOHnC87azWgGt\n" \
          "uL336Q7r6tHf7IPGbJNZs9LtY/lWGXnQ//geItvAjRmw8Z9NREW7r659Fj/C54cf\n" \
          "jHd94Bh6DMDco0ddcSkCQQD/C+5u0f3YCsuaJ/NbLLzEvSzWKnrj46eX2tHRdMMy\n" \
          "X83NIu+bPmp1w70a7j971Lj7N0QeEL8FqgY/Oml0IyHvAkEAx4WRo5oUNhziZ9Le\n" \
          "yTcR1ctmbvzcFLRiNSKBcc5Z2IvU9glR1YXHSCy7ywUBuhy/vv9GSUqQ/3QGo2Hl\n" \
          "c8IN/QJAQoMXDBmBTI0MKciPY1CYbeozvipX4ARnmWd8XlZH7WQkpIGe4Op3Ev0X\n" \
          "3OUS8zU3hHQWNI0Dc/OyK10NUTc0SwJAVKZhtPShEJhOolf/94Sqx3clfX9AbHRf\n" \
          "mkWKf9tZmRsyfjRUCPBaLU/1WNxF8E1UONebXWsKe6chTd4x+FvjjQJBAL5cRoA9\n" \
          "GNRjtDaPP3iwA16q+CQhs60XrEE63fJPofyerrc5ddCV1WhlR8Jreo6+9TFU9sTV\n" \
          "zg+sQCh6dbMp56M=\n" \
          "-----END PRIVATE KEY-----\n")
#define SEALED_PUBLIC_PEM \
    SLICE("-----BEGIN PUBLIC KEY-----\n" \
          "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDGx1ijxPZRmLQD0O1GHnWIg1hk\n" \
          "efYNLo+FzxrGgxqQ70U2KilMs3VSGs/wXpFhcBVGuiYaXBxn+VmyCGWKlYZShV0K\n" \
          "Qep/5csLplRRYVd+9DiBx/uDxzoCRJ3HYb9T4i71S09be+rExR7WmSXdc7cXNuVR\n" \
          "JOxwyk1t/8nGo4+sMwIDAQAB\n" \
          "-----END PUBLIC KEY-----\n")
/* The AES keys above, encrypted with that public key. */
#define SEALED_WRAPPED_KEY \
    "Cy4RAcNfo/sCXXKrplq45Glw3Ii1q6vr+lJwUWVHcKQLRK/KtP9UuVmQV0g3vOyEgztmEw6BjXvH0zLI" \
    "qo7Gh2o5IO6TPi/l/oEa7obFJ1SEGtW6pxshla5dBd7uLwxnQqXHzhtYFrI68fx3ar2UTeSzl8mN82xcro35LvM6ov8="
#define SEALED_WRAPPED_LONG_KEY \
    "ZW6nUtPrOYRZ1+No8qx+r3oXf5b/ygAh6EbNdYnJ11KaD2pN8vU0YzcU44VNUNNb0UEuEHSc/+d8c/Itl2yTbpUv8M9v57OULKPG8kbONpzZOaBzDzPuwpr2jvIDgIrTwuw3kcZYQiWGa5vjWF6k7d9C0KzDTuKvhVyg5ymzGeU="
#define SEALED_LONG_BASE64 "Dl9qs4ab+1qhygz+Y4CLVJGHECuvUs2jklM8NkL9rOoVNq0U4UxD4NG1CmPosmXS"
#define SEALED_ENVELOPE_WITH(end) \
    "#!encrypt:1.0.0.0" end "#!key_signatue:RSA_256" end "#!conf_encryption:AES_256" end \
    "#!key_ciphertext:" SEALED_WRAPPED_LONG_KEY end "#!---BEGIN CONFIG DATA---" end SEALED_LONG_BASE64 end \
    "#!---END CONFIG DATA---" end

#endif
