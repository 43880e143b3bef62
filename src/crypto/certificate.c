#include "crypto/certificate.h"

#include "crypto/digest.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

enum { REMEMBERED = 64, NAME_BYTES = 512, NAMES_BYTES = 4096, HOST_BYTES = 254 };

/* What a chain says and is worth apart from the time: found out once. */
struct memory {
    bool used;
    uint8_t key[SW_SHA256_BYTES]; /* of the certificates and the host */
    size_t count;
    struct sw_x509_facts facts[SW_X509_CHAIN];
    struct sw_arena arena; /* of their texts */
};

struct sw_anchors {
    const char *file, *folder;
    CRYPTO_RWLOCK *lock;
    X509_STORE *store;     /* NULL: not wanted yet, or not to be read */
    STACK_OF(X509) * read; /* what was in it from the beginning */
};

/* Store and list are those of the anchors, with references of its own. */
struct sw_trust {
    X509_STORE *store;
    STACK_OF(X509) * read;
    bool empty; /* this machine has no trust anchors: who issued what cannot be judged */
    struct memory memory[REMEMBERED];
    unsigned next; /* to be overwritten */
};

/* --- trust anchors --- */

/* OpenSSL looks into a folder only when it needs a certificate, and there for names that are made
 * of a hash (openssl rehash): "5cd81ad7.0". */
static bool has_hashed_name(const char *folder)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry = NULL;
    if (!dir)
        return false;
    while ((entry = readdir(dir))) {
        if (strspn(entry->d_name, "0123456789abcdef") == 8 && entry->d_name[8] == '.')
            break;
    }
    (void)closedir(dir);
    return entry != NULL;
}

static bool load(X509_STORE *store, const char *ca_file, const char *ca_path)
{
    if (!ca_file && !ca_path)
        return X509_STORE_set_default_paths(store) == 1;
    return (!ca_file || X509_STORE_load_file(store, ca_file) == 1) &&
           (!ca_path || (has_hashed_name(ca_path) && X509_STORE_load_path(store, ca_path) == 1));
}

/* The system's anchors are a file and a folder that OpenSSL was built with, or that the environment
 * names. */
static bool system_has_file(void)
{
    const char *path = getenv(X509_get_default_cert_file_env());
    FILE *file = fopen(path ? path : X509_get_default_cert_file(), "r");
    if (file)
        (void)fclose(file);
    return file != NULL;
}

static bool system_has_anchors(void)
{
    const char *folder = getenv(X509_get_default_cert_dir_env());
    return system_has_file() || has_hashed_name(folder ? folder : X509_get_default_cert_dir());
}

struct sw_anchors *sw_anchors_new(const char *ca_file, const char *ca_path)
{
    struct sw_anchors *anchors = calloc(1, sizeof(*anchors));
    if (!anchors)
        return NULL;
    anchors->file = ca_file;
    anchors->folder = ca_path;
    anchors->lock = CRYPTO_THREAD_lock_new();
    if (anchors->lock)
        return anchors;
    sw_anchors_free(anchors);
    return NULL;
}

void sw_anchors_free(struct sw_anchors *anchors)
{
    if (!anchors)
        return;
    CRYPTO_THREAD_lock_free(anchors->lock);
    X509_STORE_free(anchors->store);
    sk_X509_pop_free(anchors->read, X509_free);
    free(anchors);
}

static void read_anchors(struct sw_anchors *anchors)
{
    X509_STORE *store = X509_STORE_new();
    if (store && load(store, anchors->file, anchors->folder)) {
        anchors->store = store;
        anchors->read = X509_STORE_get1_all_certs(store);
    } else {
        X509_STORE_free(store);
    }
    ERR_clear_error();
}

/* False when there are none to be had. */
static bool take_references(struct sw_anchors *anchors, struct sw_trust *trust)
{
    if (!CRYPTO_THREAD_write_lock(anchors->lock))
        return false;
    if (!anchors->store)
        read_anchors(anchors);
    if (anchors->store && X509_STORE_up_ref(anchors->store))
        trust->store = anchors->store;
    if (anchors->read)
        trust->read = X509_chain_up_ref(anchors->read);
    (void)CRYPTO_THREAD_unlock(anchors->lock);
    return trust->store != NULL;
}

static void say_unreadable(const struct sw_anchors *anchors, char *message, size_t room)
{
    bool folder = anchors->folder && (!anchors->file || !has_hashed_name(anchors->folder));
    (void)snprintf(message, room, "%s: no trusted certificates can be read from it (PEM%s)",
                   folder          ? anchors->folder
                   : anchors->file ? anchors->file
                                   : "the system's trust store",
                   folder ? ", named as openssl rehash does" : "");
}

struct sw_trust *sw_trust_new(struct sw_anchors *anchors, char *message, size_t room)
{
    struct sw_trust *trust = calloc(1, sizeof(*trust));
    if (trust && take_references(anchors, trust)) {
        trust->empty = !anchors->file && !anchors->folder && !system_has_anchors();
        return trust;
    }
    sw_trust_free(trust);
    if (message && room > 0)
        say_unreadable(anchors, message, room);
    return NULL;
}

void sw_trust_free(struct sw_trust *trust)
{
    if (!trust)
        return;
    for (unsigned i = 0; i < REMEMBERED; i++)
        sw_arena_release(&trust->memory[i].arena);
    X509_STORE_free(trust->store);
    sk_X509_pop_free(trust->read, X509_free);
    free(trust);
}

/* --- what a certificate says --- */

static struct sw_span name_text(X509_NAME *name, struct sw_arena *arena)
{
    char text[NAME_BYTES];
    BIO *out = BIO_new(BIO_s_mem());
    int n = 0;
    if (out && X509_NAME_print_ex(out, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0)
        n = BIO_read(out, text, sizeof(text));
    BIO_free(out);
    return sw_arena_copy(arena, sw_span_make(text, n > 0 ? (size_t)n : 0));
}

struct names {
    char text[NAMES_BYTES];
    size_t used;
};

static void add_name(struct names *names, const uint8_t *bytes, size_t length)
{
    if (length == 0 || length + 1 > sizeof(names->text) - names->used)
        return;
    if (names->used > 0)
        names->text[names->used++] = '\n';
    memcpy(names->text + names->used, bytes, length);
    names->used += length;
}

static void add_address(struct names *names, const uint8_t *bytes, size_t length)
{
    char text[48];
    int n = 0;
    if (length == 4) {
        n = snprintf(text, sizeof(text), "%u.%u.%u.%u", bytes[0], bytes[1], bytes[2], bytes[3]);
    } else if (length == 16) {
        for (size_t i = 0; i < 16; i += 2)
            n += snprintf(text + n, sizeof(text) - (size_t)n, "%s%x", i ? ":" : "",
                          (unsigned)bytes[i] << 8 | bytes[i + 1]);
    }
    if (n > 0)
        add_name(names, (const uint8_t *)text, (size_t)n);
}

/* RFC 6125 6.4.4: the common name counts when there is no other. */
static void add_common_name(struct names *names, const X509 *x)
{
    X509_NAME *subject = X509_get_subject_name(x);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    const X509_NAME_ENTRY *entry = at >= 0 ? X509_NAME_get_entry(subject, at) : NULL;
    uint8_t *utf8 = NULL;
    int n = entry ? ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(entry)) : -1;
    if (n > 0)
        add_name(names, utf8, (size_t)n);
    OPENSSL_free(utf8);
}

static struct sw_span names_of(X509 *x, struct sw_arena *arena)
{
    struct names names = {.used = 0};
    GENERAL_NAMES *list = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(list); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(list, i);
        if (name->type == GEN_DNS)
            add_name(&names, ASN1_STRING_get0_data(name->d.dNSName),
                     (size_t)ASN1_STRING_length(name->d.dNSName));
        else if (name->type == GEN_IPADD)
            add_address(&names, ASN1_STRING_get0_data(name->d.iPAddress),
                        (size_t)ASN1_STRING_length(name->d.iPAddress));
    }
    GENERAL_NAMES_free(list);
    if (names.used == 0)
        add_common_name(&names, x);
    return sw_arena_copy(arena, sw_span_make(names.text, names.used));
}

/* Seconds since 1970 and as text; false for a time that cannot be read. */
static bool read_time(const ASN1_TIME *time, int64_t *seconds, char text[24])
{
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    int days = 0;
    int rest = 0;
    struct tm tm;
    bool good =
        epoch && ASN1_TIME_diff(&days, &rest, epoch, time) == 1 && ASN1_TIME_to_tm(time, &tm) == 1;
    ASN1_TIME_free(epoch);
    if (!good)
        return false;
    *seconds = (int64_t)days * 86400 + rest;
    char line[80];
    int n = snprintf(line, sizeof(line), "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900,
                     tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
    if (n > 0 && n < 24)
        memcpy(text, line, (size_t)n + 1);
    return true;
}

static bool has_weak_key(const X509 *x)
{
    EVP_PKEY *key = X509_get0_pubkey(x);
    if (!key)
        return false;
    int bits = EVP_PKEY_get_bits(key);
    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
    case EVP_PKEY_RSA_PSS:
        return bits < 2048;
    case EVP_PKEY_EC:
        return bits < 224;
    case EVP_PKEY_DSA:
        return true;
    default:
        return false;
    }
}

static bool is_self_issued(const X509 *x)
{
    return X509_NAME_cmp(X509_get_subject_name(x), X509_get_issuer_name(x)) == 0;
}

/* Nobody relies on the signature of a certificate that vouches for itself. */
static bool has_weak_signature(X509 *x)
{
    int digest = NID_undef;
    if (is_self_issued(x) || X509_get_signature_info(x, &digest, NULL, NULL, NULL) != 1)
        return false;
    return digest == NID_md5 || digest == NID_sha1 || digest == NID_md4 || digest == NID_md2 ||
           digest == NID_md5_sha1;
}

static void read_one(X509 *x, struct sw_span der, struct sw_arena *arena, struct sw_x509_facts *out)
{
    uint8_t digest[SW_SHA256_BYTES];
    out->read = true;
    out->subject = name_text(X509_get_subject_name(x), arena);
    out->issuer = name_text(X509_get_issuer_name(x), arena);
    out->names = names_of(x, arena);
    if (sw_sha256(der, digest))
        sw_hex(digest, sizeof(digest), out->sha256);
    (void)read_time(X509_get0_notBefore(x), &out->not_before_s, out->not_before);
    (void)read_time(X509_get0_notAfter(x), &out->not_after_s, out->not_after);
    if (has_weak_key(x))
        out->problems |= SW_X509_WEAK_KEY;
    if (has_weak_signature(x))
        out->problems |= SW_X509_WEAK_SIGNATURE;
}

/* --- the chain --- */

static bool is_address(const char *host)
{
    ASN1_OCTET_STRING *address = a2i_IPADDRESS(host);
    ASN1_OCTET_STRING_free(address);
    return address != NULL;
}

static bool host_fits(X509 *leaf, struct sw_span host)
{
    char name[HOST_BYTES + 1];
    if (host.len == 0)
        return true;
    if (host.len > 1 && host.ptr[host.len - 1] == '.')
        host.len--;
    if (host.len > HOST_BYTES || memchr(host.ptr, '\0', host.len))
        return false;
    memcpy(name, host.ptr, host.len);
    name[host.len] = '\0';
    if (is_address(name))
        return X509_check_ip_asc(leaf, name, 0) == 1;
    return X509_check_host(leaf, name, host.len, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) == 1;
}

static bool same_organisation(const X509_NAME *a, const X509_NAME *b)
{
    int at_a = X509_NAME_get_index_by_NID(a, NID_organizationName, -1);
    int at_b = X509_NAME_get_index_by_NID(b, NID_organizationName, -1);
    if (at_a < 0 || at_b < 0)
        return false;
    const ASN1_STRING *text_a = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(a, at_a));
    const ASN1_STRING *text_b = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(b, at_b));
    return ASN1_STRING_cmp(text_a, text_b) == 0;
}

/* An issuer of the house of an anchor: what it signs leads to that anchor over one that is missing.
 * The store itself grows by what it is asked for, where it looks into a directory. */
static bool is_kin_of_anchor(const struct sw_trust *trust, X509 *x)
{
    for (int i = 0; i < sk_X509_num(trust->read); i++) {
        if (same_organisation(X509_get_issuer_name(x),
                              X509_get_subject_name(sk_X509_value(trust->read, i))))
            return true;
    }
    return false;
}

/* Where the missing issuer could be fetched, which public authorities write into what they sign
 * (RFC 5280 4.2.2.1). */
static bool names_its_issuers_place(X509 *x)
{
    AUTHORITY_INFO_ACCESS *info = X509_get_ext_d2i(x, NID_info_access, NULL, NULL);
    bool found = false;
    for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(info); i++)
        found =
            found || OBJ_obj2nid(sk_ACCESS_DESCRIPTION_value(info, i)->method) == NID_ad_ca_issuers;
    AUTHORITY_INFO_ACCESS_free(info);
    return found;
}

/* Collects every error instead of stopping at the first. */
static int collect(int good, X509_STORE_CTX *ctx)
{
    uint32_t *problems = X509_STORE_CTX_get_app_data(ctx);
    if (good)
        return 1;
    switch (X509_STORE_CTX_get_error(ctx)) {
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        *problems |= SW_X509_SELF_SIGNED;
        break;
    case X509_V_ERR_CERT_HAS_EXPIRED: /* the dates are judged one certificate at a time */
    case X509_V_ERR_CERT_NOT_YET_VALID:
        break;
    default:
        *problems |= SW_X509_NOT_TRUSTED;
        break;
    }
    return 1;
}

static uint32_t verify(const struct sw_trust *trust, X509 *leaf, STACK_OF(X509) * sent)
{
    uint32_t problems = 0;
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    if (!ctx || X509_STORE_CTX_init(ctx, trust->store, leaf, sent) != 1) {
        X509_STORE_CTX_free(ctx);
        return 0;
    }
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_NO_CHECK_TIME | X509_V_FLAG_TRUSTED_FIRST);
    X509_VERIFY_PARAM_set_depth(param, SW_X509_CHAIN);
    (void)X509_STORE_CTX_set_purpose(ctx, X509_PURPOSE_SSL_SERVER);
    X509_STORE_CTX_set_app_data(ctx, &problems);
    X509_STORE_CTX_set_verify_cb(ctx, collect);
    if (X509_verify_cert(ctx) < 0)
        problems |= SW_X509_NOT_TRUSTED;
    /* The root that vouches for itself, in the place of an issuer that nobody knows. */
    if (problems & SW_X509_SELF_SIGNED)
        problems &= ~(uint32_t)SW_X509_NOT_TRUSTED;
    const STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
    int length = sk_X509_num(chain);
    X509 *top = length > 0 ? sk_X509_value(chain, length - 1) : leaf;
    bool leads_on =
        !is_self_issued(top) && (names_its_issuers_place(top) || is_kin_of_anchor(trust, top));
    if ((problems & SW_X509_NOT_TRUSTED) && leads_on)
        problems |= SW_X509_INCOMPLETE;
    X509_STORE_CTX_free(ctx);
    return problems;
}

static bool key_of(const struct sw_span *ders, size_t count, struct sw_span host,
                   uint8_t key[SW_SHA256_BYTES])
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1;
    for (size_t i = 0; good && i < count; i++)
        good = EVP_DigestUpdate(ctx, &ders[i].len, sizeof(ders[i].len)) == 1 &&
               EVP_DigestUpdate(ctx, ders[i].ptr, ders[i].len) == 1;
    good = good && EVP_DigestUpdate(ctx, host.ptr, host.len) == 1 &&
           EVP_DigestFinal_ex(ctx, key, NULL) == 1;
    EVP_MD_CTX_free(ctx);
    return good;
}

static X509 *parse(struct sw_span der)
{
    const unsigned char *at = der.ptr;
    X509 *x = der.len > 0 && der.len <= SW_X509_BYTES ? d2i_X509(NULL, &at, (long)der.len) : NULL;
    if (x && at != der.ptr + der.len) { /* something stands behind it */
        X509_free(x);
        x = NULL;
    }
    return x;
}

/* Reads and judges a chain into the memory. */
static void find_out(const struct sw_trust *trust, const struct sw_span *ders, struct sw_span host,
                     struct memory *m)
{
    STACK_OF(X509) *sent = sk_X509_new_null();
    X509 *leaf = NULL;
    for (size_t i = 0; i < m->count; i++) {
        m->facts[i] = (struct sw_x509_facts){.not_before_s = INT64_MIN, .not_after_s = INT64_MAX};
        X509 *x = parse(ders[i]);
        if (!x)
            continue;
        read_one(x, ders[i], &m->arena, &m->facts[i]);
        if (i == 0)
            leaf = x;
        else if (!sent || sk_X509_push(sent, x) <= 0)
            X509_free(x);
    }
    if (leaf) {
        uint32_t problems = verify(trust, leaf, sent);
        if (trust->empty)
            problems &= SW_X509_SELF_SIGNED;
        if (!host_fits(leaf, host))
            problems |= SW_X509_HOST_MISMATCH;
        m->facts[0].problems |= problems;
    }
    X509_free(leaf);
    sk_X509_pop_free(sent, X509_free);
    ERR_clear_error();
}

/* What is known of this chain and host; the oldest has to go for a new one. */
static const struct memory *recall(struct sw_trust *trust, const struct sw_span *ders, size_t count,
                                   struct sw_span host)
{
    enum { TEXTS_BYTES = 64 * 1024 };
    uint8_t key[SW_SHA256_BYTES];
    bool keyed = key_of(ders, count, host, key);
    for (unsigned i = 0; keyed && i < REMEMBERED; i++) {
        const struct memory *known = &trust->memory[i];
        if (known->used && known->count == count && memcmp(known->key, key, sizeof(key)) == 0)
            return known;
    }
    struct memory *m = &trust->memory[trust->next];
    trust->next = (trust->next + 1) % REMEMBERED;
    sw_arena_release(&m->arena);
    *m = (struct memory){.used = keyed, .count = count};
    if (keyed)
        memcpy(m->key, key, sizeof(key));
    sw_arena_init(&m->arena, TEXTS_BYTES, NULL);
    find_out(trust, ders, host, m);
    return m;
}

static void judge_dates(struct sw_x509_facts *facts, bool leaf, int64_t time_s)
{
    if (!facts->read)
        return;
    if (facts->not_after_s < time_s)
        facts->problems |= SW_X509_EXPIRED;
    else if (facts->not_before_s > time_s)
        facts->problems |= SW_X509_NOT_YET_VALID;
    if (leaf && facts->not_after_s >= time_s &&
        facts->not_after_s < time_s + (int64_t)SW_X509_SOON_DAYS * 86400)
        facts->problems |= SW_X509_EXPIRES_SOON;
}

void sw_certificate_check(struct sw_trust *trust, const struct sw_span *ders, size_t count,
                          struct sw_span host, int64_t time_s, struct sw_arena *arena,
                          struct sw_x509_facts *out)
{
    size_t kept = count < SW_X509_CHAIN ? count : SW_X509_CHAIN;
    const struct memory *m = recall(trust, ders, kept, host);
    for (size_t i = 0; i < count; i++) {
        out[i] = i < kept ? m->facts[i] : (struct sw_x509_facts){.not_after_s = INT64_MAX};
        out[i].subject = sw_arena_copy(arena, out[i].subject);
        out[i].issuer = sw_arena_copy(arena, out[i].issuer);
        out[i].names = sw_arena_copy(arena, out[i].names);
        judge_dates(&out[i], i == 0, time_s);
    }
}
