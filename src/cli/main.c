#include "cli/verb.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int verb_help(const struct verb *verb, int argc, char **argv);
static int verb_version(const struct verb *verb, int argc, char **argv);

static const struct verb verbs[] = {
    { "serve", "serve a directory to phones over TFTP, FTP, HTTP and HTTPS",
      "[--root DIR] [-c FILE] [-o KEY=VALUE ...] [--check-config] [--print-config]", verb_serve },
    { "phone", "one virtual phone: provisions itself, shows its timeline and lives on",
      "--mac M --model T46S --firmware 66.84.0.15 [--server URL | --discover [-i IF]]\n"
      "                      [--flash DIR] [--pin PIN]\n"
      "                      [--user NAME] [--password-file FILE] [--control [ADDR:]PORT] [--keys FILE]\n"
      "                      [--aes-common FILE] [--aes-mac FILE] [--rsa-key PEM]\n"
      "                      [--once] [--json] [--show-secrets] [--time-scale N]\n"
      "                      [--trusted FILE] [--device-cert FILE --device-key FILE]\n"
      "                      [--sip [ADDR:]PORT] [--sip-auth strangers|always|open]",
      verb_phone },
    { "explain", "what a phone would do with a directory, without any network",
      "--root DIR --mac M --model T46S --firmware 66.84.0.15 [--server URL] [--flash DIR] [--pin PIN]\n"
      "                        [--aes-common FILE] [--aes-mac FILE] [--rsa-key PEM] [--json] [--show-secrets]",
      verb_explain },
    { "check", "findings over a whole tree of boot and CFG files",
      "--root DIR [--aes-common FILE] [--aes-mac FILE] [--rsa-key PEM]", verb_check },
    { "encrypt", "boot, CFG and contact files as phones take them encrypted",
      "[--aes-common FILE] [--aes-mac FILE] [--make-key] [--key-length 16|32] [--key-list FILE]\n"
      "                        [--key-file] [--envelope PEM] [--pkcs7] [--out DIR] [--force] FILE ...",
      verb_encrypt },
    { "decrypt", "encrypted files as they were before",
      "[--aes-common FILE] [--aes-mac FILE] [--key-file] [--rsa-key PEM] [--out DIR] [--force] FILE ...",
      verb_decrypt },
    { "cert", "a CA to import into phones and the server's certificates",
      "--dir DIR --name HOST ... [--ip ADDRESS ...] [--days N] [--force]\n"
      "       dialtone cert --dir DIR --device MAC[,MAC ...] | --devices FILE [--days N] [--force]\n"
      "       dialtone cert --dir DIR --revoke MAC-OR-SERIAL[,...]",
      verb_cert },
    { "dhcp", "what to tell a DHCP server, and what DHCP servers tell phones",
      "snippet --for SERVER --url URL [--option N] [--per-vendor] [--v6]\n"
      "       dialtone dhcp probe [-i IF] [--option N ...] [--v4] [--v6] [--mac M] [--vendor-class TEXT]\n"
      "                           [--inform] [--wait S] [--json]\n"
      "       dialtone dhcp lease -i IF --mac M [--option N ...] [--v4] [--v6] [--vendor-class TEXT]\n"
      "                           [--wait S] [--stay] [--json]",
      verb_dhcp },
    { "discover", "where a phone would find its server on this network",
      "--mac M --model T46S --firmware 66.84.0.15 [-i IF] [--flash DIR] [--json]", verb_discover },
    { "doctor", "what keeps phones from being provisioned, on this machine and network",
      "[--config FILE] [--root DIR] [-o KEY=VALUE ...] [-i IF] [--url URL] [--trusted FILE]\n"
      "                       [--mac M --model T46S --firmware 66.84.0.15] [--wait S] [--no-probe] [--json]",
      verb_doctor },
    { "models", "the phones that the guide knows", "[--json]", verb_models },
    { "notify", "tells phones to provision themselves: check-sync by SIP NOTIFY",
      "--to sip:USER@HOST[:PORT][;transport=udp|tcp|tls] ... [--reboot]\n"
      "       dialtone notify --mac M ... | --all [--model T46S] [--older-than HOURS] [--state DIR] [--port N]\n"
      "                       [--reboot] [--rate N]\n"
      "       both: [--user NAME --password-file FILE] [--ca FILE] [--insecure] [--wait S] [--json]",
      verb_notify },
    { "passwd", "a line for the configuration from a user's password",
      "NAME [--weak]\n"
      "       dialtone passwd --file FILE NAME [--weak] | NAME --remove | --batch [--weak]",
      verb_passwd },
    { "local", "what phones have sent: versions, differences, the way back",
      "list [MAC] [KIND] [--dir DIR]\n"
      "       dialtone local show MAC [KIND] [VERSION] [--dir DIR]\n"
      "       dialtone local diff MAC [KIND] VERSION [VERSION] [--show-secrets] [--dir DIR]\n"
      "       dialtone local restore MAC [KIND] VERSION [--dir DIR]",
      verb_local },
    { "demo", "a server and three phones in one terminal", "--root DIR [--once]", verb_demo },
    { "help", "this list, or how a verb is used", "[VERB]", verb_help },
    { "version", "the version", "", verb_version },
};
#define VERBS (sizeof verbs / sizeof *verbs)

static const struct verb *find_verb(const char *name)
{
    /* As every program has it. */
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        name = "help";
    if (strcmp(name, "--version") == 0)
        name = "version";
    for (size_t i = 0; i < VERBS; i++)
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    return NULL;
}

int verb_misused(const struct verb *verb, const char *format, ...)
{
    va_list args;
    fprintf(stderr, "dialtone %s: ", verb->name);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\nusage: dialtone %s %s\n", verb->name, verb->usage);
    return EXIT_USAGE;
}

static void print_verbs(FILE *to)
{
    fprintf(to, "usage: dialtone VERB ...\n\n");
    for (size_t i = 0; i < VERBS; i++)
        fprintf(to, "  %-9s %s\n", verbs[i].name, verbs[i].help);
}

static int verb_help(const struct verb *verb, int argc, char **argv)
{
    const struct verb *about = argc > 1 ? find_verb(argv[1]) : NULL;
    if (argc > 1 && !about)
        return verb_misused(verb, "no verb '%s'", argv[1]);
    if (about)
        printf("dialtone %s: %s\nusage: dialtone %s %s\n", about->name, about->help, about->name, about->usage);
    else
        print_verbs(stdout);
    return fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED;
}

static int verb_version(const struct verb *verb, int argc, char **argv)
{
    (void)argv;
    if (argc > 1)
        return verb_misused(verb, "no arguments are expected");
    printf("dialtone %s\n", DIALTONE_VERSION);
    return fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_verbs(stderr);
        return EXIT_USAGE;
    }
    const struct verb *verb = find_verb(argv[1]);
    if (!verb) {
        fprintf(stderr, "dialtone: no verb '%s'\n", argv[1]);
        print_verbs(stderr);
        return EXIT_USAGE;
    }
    return verb->run(verb, argc - 1, argv + 1);
}
