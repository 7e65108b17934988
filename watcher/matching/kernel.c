/* The compiled form of `index.py` and of most of `evaluate.py`: which rules hold for an article?

   `compiled.py` hands over a program: the words, prefixes and phrases of all rules, numbered as
   keys (words first, from 1, then prefixes, phrases, and last the copies that count in the title
   alone); each rule as nodes of int32; and postings, which file a rule under its rarest keys.

   One pass over the text turns it into word ids. The first time a key is met it is `fired`. A
   phrase is found by its last two words, so every literal is decided once and a rule only tests
   bits. Then the postings of the fired keys name rules; a posting carries a guard, hashes of up
   to eight keys of which one must have fired, so that most rules are never looked at.

   ASCII is folded here. A run with other letters in it (a `chunk`) goes to Python's `fold` once;
   its words are remembered. So are words that no rule has, with the prefixes they begin with.
   That memory is emptied between articles once it is large; within one it grows with the text. */

#define _GNU_SOURCE
#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/mman.h>
#endif

typedef int32_t i32;
typedef uint32_t u32;
typedef uint64_t u64;

enum { ANY = 1, ALL, NONE, AT_LEAST, NEAR, BEFORE };      /* as Op in lower.py */
enum { INLINE = 16, SHARED = 24, BLOCK = 64, GUARDS = 8, PENDING = 4096, MEMO = 400000, MEMO_BYTES = 32 << 20 };
#define BLOOM (1u << 20)

#if defined(__GNUC__)
#define PREFETCH(p) __builtin_prefetch(p)
#else
#define PREFETCH(p) ((void)0)
#endif
/* What is met in one go spans some lines of the cache: rules' code four, a key's postings as a rule three. */
#define PREFETCH_CODE(c) (PREFETCH(c), PREFETCH((c) + 16), PREFETCH((c) + 32), PREFETCH((c) + 48))
#define PREFETCH_POSTS(p) (PREFETCH(p), PREFETCH((p) + 3), PREFETCH((p) + 6))

/* Up to 16 bytes stand in `a` and `b`; of a longer word `a` is a hash, `b` its place in `bytes`. */
typedef struct { u64 a, b; u32 size; i32 id; } Slot;
typedef struct { Slot *slots; u32 mask, used; } Table;
typedef struct { u32 epoch; i32 last; u32 prefixes, count; } Token;
typedef struct { u64 words; i32 first, count; } Pair;      /* of the phrases that end in two words */
typedef struct { i32 phrase, before; } Ending;             /* and the word before those, if any */
typedef struct { i32 rule; uint16_t guard[GUARDS]; } Posting;
typedef struct { PyObject *name; i32 root; u32 epoch : 31, certain : 1; } Rule;
typedef struct { u64 a, b; u32 size, hash; i32 at; int wide; } Piece;
typedef struct { u32 first, count; } Chunk;      /* its word ids, in the pool */

typedef struct {
    PyObject_HEAD
    i32 words, prefixes, phrases, keys, rules;
    PyObject *fold, *is_alnum, *names;
    Table known, beginnings, seen;
    Token *tokens; u32 ntokens, tokens_cap;
    Chunk *chunks; u32 nchunks, chunks_cap;
    i32 *pool; u32 npool, pool_cap;              /* prefix keys by token, word ids by chunk */
    unsigned char *bytes; u64 nbytes, bytes_cap; /* words too long for a slot */
    u32 limit, *lengths, nlengths;               /* no word or prefix is longer; lengths of prefixes */
    u32 base_tokens, base_pool, base_used; u64 base_bytes;
    i32 *phrase_words, *phrase_ends;
    Ending *endings; Pair *pairs; u32 pair_mask; u64 *bloom;
    i32 *title, *code; Rule *rule; i32 *post_ends; Posting *posts;
    u64 *fired, sig[1024]; i32 *fired_keys, nfired;
    i32 *seq, *next, *left, *right, nseq, split, start; size_t seq_cap;
    unsigned char *scratch;
    u32 epoch; int broken;
} Kernel;

/* ── memory: every allocation may fail, and then `broken` is set ── */

static void *room(Kernel *k, size_t size) {
    void *p = NULL;
#ifdef __linux__
    if (size >= 4u << 20) {                      /* large tables: fewer pages to look up */
        size_t whole = (size + (2u << 20) - 1) & ~(size_t)((2u << 20) - 1);
        if (!posix_memalign(&p, 2u << 20, whole)) { madvise(p, whole, MADV_HUGEPAGE); memset(p, 0, whole); return p; }
        p = NULL;
    }
#endif
    p = calloc(size ? size : 1, 1);
    if (!p) k->broken = 1;
    return p;
}

static int more(Kernel *k, void *where, size_t size) {
    void *p = realloc(*(void **)where, size);
    if (!p) { k->broken = 1; return 0; }
    *(void **)where = p;
    return 1;
}

/* ── words ── */

static unsigned char FOLD[256];                  /* 0: a separator */

static void fold_table(void) {
    for (int c = 0; c < 256; c++)
        FOLD[c] = c >= 128 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ? c : c >= 'A' && c <= 'Z' ? c + 32 : 0;
}

static u64 SEED;                                 /* so that nobody can send words that collide */

static inline u64 mix(u64 a, u64 b) {
    u64 h = (a ^ SEED) * 0xD6E8FEB86659FD93ull;
    h ^= h >> 32; h = (h ^ b) * 0xFF51AFD7ED558CCDull;
    return h ^ h >> 29;
}

static Piece piece_of(const unsigned char *s, u32 size) {
    Piece p = {0, 0, size, 0, 0, 0};
    if (size <= INLINE) {
        unsigned char z[INLINE] = {0};
        memcpy(z, s, size); memcpy(&p.a, z, 8); memcpy(&p.b, z + 8, 8);
    } else {
        u64 h = size;
        for (u32 i = 0; i < size; i++) h = (h ^ s[i]) * 0x100000001B3ull;
        p.a = h;
    }
    p.hash = (u32)mix(p.a, p.b + size);
    return p;
}

static inline Slot *find(const Kernel *k, const Table *t, const Piece *p, const unsigned char *s) {
    u32 i = p->hash & t->mask;
    for (Slot *e; (e = t->slots + i)->size; i = (i + 1) & t->mask)
        if (e->a == p->a && e->size == p->size && (p->size <= INLINE ? e->b == p->b : !memcmp(k->bytes + e->b, s, p->size)))
            return e;
    return t->slots + i;
}

static u32 hash_of(const Slot *e) { return (u32)mix(e->a, (e->size <= INLINE ? e->b : 0) + e->size); }

static int table_new(Kernel *k, Table *t, u32 least) {
    u32 size = 1024;
    while (size < least * 2) size *= 2;
    t->slots = room(k, (size_t)size * sizeof(Slot)); t->mask = size - 1; t->used = 0;
    return t->slots != NULL;
}

/* The same table in a new size, with only the rules' own words when `own`. */
static int table_again(Kernel *k, Table *t, u32 least, int own) {
    Table fresh;
    if (!table_new(k, &fresh, least)) return 0;
    for (u32 i = 0; i <= t->mask; i++) {
        Slot *e = t->slots + i;
        if (!e->size || (own && !(e->id > 0 && e->id <= k->words))) continue;
        u32 j = hash_of(e) & fresh.mask;
        while (fresh.slots[j].size) j = (j + 1) & fresh.mask;
        fresh.slots[j] = *e; fresh.used++;
    }
    free(t->slots); *t = fresh;
    return 1;
}

static int put(Kernel *k, Table *t, const Piece *p, const unsigned char *s, i32 id) {
    if (t->used * 2 > t->mask && !table_again(k, t, t->used * 2, 0)) return 0;
    Slot *e = find(k, t, p, s);
    e->a = p->a; e->b = p->b; e->size = p->size; e->id = id; t->used++;
    if (p->size > INLINE) {
        if (k->nbytes + p->size > k->bytes_cap) {
            u64 cap = (k->nbytes + p->size) * 2;
            if (!more(k, &k->bytes, cap)) return 0;
            k->bytes_cap = cap;
        }
        memcpy(k->bytes + k->nbytes, s, p->size); e->b = k->nbytes; k->nbytes += p->size;
    }
    return 1;
}

static int pool(Kernel *k, u32 at, i32 value) {
    if (at >= k->pool_cap) {
        u32 cap = at * 2 + 64;
        if (!more(k, &k->pool, (size_t)cap * 4)) return 0;
        k->pool_cap = cap;
    }
    k->pool[at] = value;
    return 1;
}

/* The prefixes a word begins with, at the end of the pool; how many. */
static u32 begin(Kernel *k, const unsigned char *s, u32 size) {
    u32 count = 0;
    for (u32 i = 0; i < k->nlengths && k->lengths[i] <= size; i++) {
        Piece p = piece_of(s, k->lengths[i]);
        Slot *e = find(k, &k->beginnings, &p, s);
        if (e->size && !pool(k, k->npool + count++, e->id)) return 0;
    }
    return count;
}

/* A word's id: 0 for one that neither is a rule's word nor begins like one. */
static i32 intern(Kernel *k, const Piece *p, const unsigned char *s, i32 id) {
    u32 size = p->size > k->limit ? k->limit : p->size, count = begin(k, s, size);
    if (!id && count) {
        if (k->ntokens >= k->tokens_cap) {
            u32 cap = k->tokens_cap * 2;
            if (!more(k, &k->tokens, (size_t)cap * sizeof(Token))) return 0;
            k->tokens_cap = cap;
        }
        id = (i32)k->ntokens++;
    }
    if (id) { k->tokens[id] = (Token){0, -1, k->npool, count}; k->npool += count; }
    put(k, &k->known, p, s, id);
    return id;
}

static void forget(Kernel *k) {
    free(k->seen.slots); k->seen.slots = NULL;
    if (!table_again(k, &k->known, k->base_used, 1) || !table_new(k, &k->seen, 0)) return;
    k->ntokens = k->base_tokens; k->npool = k->base_pool; k->nbytes = k->base_bytes; k->nchunks = 0;
}

/* ── the scan ── */

static inline int on(const Kernel *k, i32 key) { return k->fired[key >> 6] >> (key & 63) & 1; }
static inline u32 sig_of(i32 key) { return ((u32)key * 0x9E3779B1u) >> 16; }

static inline void fire(Kernel *k, i32 key, int title) {
    u64 bit = 1ull << (key & 63);
    if (k->fired[key >> 6] & bit) return;
    k->fired[key >> 6] |= bit; k->fired_keys[k->nfired++] = key;
    u32 h = sig_of(key); k->sig[h >> 6] |= 1ull << (h & 63);
    if (title && k->title[key]) fire(k, k->title[key], 0);
}

static inline i32 phrase_size(const Kernel *k, i32 p) { return k->phrase_ends[p + 1] - k->phrase_ends[p]; }

static inline int phrase_at(const Kernel *k, i32 p, i32 first) {
    i32 size = phrase_size(k, p);
    if (first < 0 || (first < k->split && first + size > k->split)) return 0;
    return !memcmp(k->seq + first, k->phrase_words + k->phrase_ends[p], (size_t)size * 4);
}

/* Where the pair is, or would be. */
static inline Pair *pair_of(const Kernel *k, u64 words, u64 h) {
    u32 i = (u32)h & k->pair_mask;
    while (k->pairs[i].words && k->pairs[i].words != words) i = (i + 1) & k->pair_mask;
    return k->pairs + i;
}

static inline void pair(Kernel *k, i32 before, i32 word, int title) {
    u64 words = (u64)(u32)before << 32 | (u32)word, h = mix(words, 7);
    u32 b = (u32)(h >> 40) & (BLOOM - 1);
    if (!(k->bloom[b >> 6] >> (b & 63) & 1)) return;
    const Pair *found = pair_of(k, words, h);
    const Ending *e = k->endings + found->first, *end = e + found->count;
    i32 third = k->nseq - 2 >= k->start ? k->seq[k->nseq - 2] : 0;
    for (; e < end; e++) {
        if (e->before && e->before != third) continue;
        i32 p = e->phrase, key = 1 + k->words + k->prefixes + p, size = phrase_size(k, p), first = k->nseq - size + 1;
        if (!on(k, key) && (size < 4 || (first >= k->start && phrase_at(k, p, first)))) fire(k, key, title);
    }
}

static inline void use(Kernel *k, i32 id, int title) {
    i32 at = k->nseq;
    k->seq[at] = id;
    if (id) {
        Token *t = k->tokens + id;
        k->next[at] = t->epoch == k->epoch ? t->last : -1;
        if (t->epoch != k->epoch) {
            t->epoch = k->epoch;
            if (id <= k->words) fire(k, id, title);
            for (u32 j = 0; j < t->count; j++) fire(k, k->pool[t->prefixes + j], title);
        }
        t->last = at;
        if (id <= k->words && at > k->start && k->seq[at - 1] > 0 && k->seq[at - 1] <= k->words) pair(k, k->seq[at - 1], id, title);
    }
    k->nseq++;
}

static u32 lower(const Kernel *k, const unsigned char *s, u32 size) {
    u32 kept = size > k->limit ? k->limit : size;
    for (u32 i = 0; i < kept; i++) k->scratch[i] = FOLD[s[i]];
    return kept;
}

/* Words longer than any rule's differ in nothing we ask: cut, and told from shorter ones by size. */
static Piece long_piece(const Kernel *k, const unsigned char *s, u32 size) {
    u32 kept = lower(k, s, size);
    if (size > kept) k->scratch[kept++] = 0;
    return piece_of(k->scratch, kept);
}

static i32 word_id(Kernel *k, const Piece *p, const unsigned char *s) {
    if (p->size > INLINE) { u32 kept = lower(k, s, p->size); if (kept < p->size) k->scratch[kept] = 0; }
    Slot *e = find(k, &k->known, p, k->scratch);
    if (e->size) return e->id;
    if (p->size <= INLINE) lower(k, s, p->size);
    return intern(k, p, k->scratch, 0);
}

static Piece word_piece(Kernel *k, const unsigned char *s, u32 size) {
    if (size > INLINE) return long_piece(k, s, size);
    unsigned char z[INLINE] = {0};
    for (u32 i = 0; i < size; i++) z[i] = FOLD[s[i]];
    return piece_of(z, size);
}

/* ── what is not ASCII ── */

static inline u32 width(unsigned char c) { return c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4; }

/* Kana and Han: a word each, whatever stands beside them. */
static inline int stands_alone(const unsigned char *s) {
    if (*s < 0xE3 || *s > 0xE9) return 0;
    u32 c = (u32)(*s & 15) << 12 | (u32)(s[1] & 63) << 6 | (s[2] & 63);
    return (c >= 0x3041 && c <= 0x3096) || (c >= 0x30A1 && c <= 0x30FC) || (c >= 0x4E00 && c <= 0x9FFF);
}

/* The size of an apostrophe, 0 for anything else. */
static inline u32 apostrophe(const unsigned char *s) {
    if (*s == '\'') return 1;
    if (*s == 0xCA && s[1] == 0xBC) return 2;
    return (*s == 0xE2 && s[1] == 0x80 && s[2] == 0x99) || (*s == 0xEF && s[1] == 0xBC && s[2] == 0x87) ? 3 : 0;
}

static int in_word(Kernel *k, const unsigned char *s) {
    if (*s < 128) return FOLD[*s] || *s == '_';
    PyObject *answer = PyObject_CallFunction(k->is_alnum, "s#", (const char *)s, (Py_ssize_t)width(*s));
    int yes = answer ? PyObject_IsTrue(answer) : -1;
    Py_XDECREF(answer);
    if (yes < 0) k->broken = 1;
    return yes > 0;
}

/* Does an apostrophe of `size` here, with its s, follow a word and end it? The text ends in a 0. */
static int possessive(Kernel *k, const unsigned char *s, i32 i, u32 size) {
    if (!i || (s[i + size] | 32) != 's') return 0;
    i32 before = i - 1;
    while (before && (s[before] & 0xC0) == 0x80) before--;
    return in_word(k, s + before) && !in_word(k, s + i + size + 1);
}

/* The chunk's words: asked of Python when first met. */
static i32 chunk_id(Kernel *k, const Piece *p, const unsigned char *s) {
    Slot *e = find(k, &k->seen, p, s);
    if (e->size) return e->id;
    PyObject *folded = PyObject_CallFunction(k->fold, "s#", (const char *)s, (Py_ssize_t)p->size);
    char *text; Py_ssize_t n;
    if (!folded || PyBytes_AsStringAndSize(folded, &text, &n) < 0) { Py_XDECREF(folded); k->broken = 1; return 0; }
    i32 *ids = malloc((size_t)(n / 2 + 1) * sizeof *ids), count = 0, id = (i32)k->nchunks;
    for (Py_ssize_t i = 0, at; ids && i < n && !k->broken; ) {
        while (i < n && !FOLD[(unsigned char)text[i]]) i++;
        for (at = i; i < n && FOLD[(unsigned char)text[i]]; ) i++;
        if (i == at) break;
        Piece word = word_piece(k, (unsigned char *)text + at, (u32)(i - at));
        ids[count++] = word_id(k, &word, (unsigned char *)text + at);
    }
    if (k->nchunks >= k->chunks_cap) {
        u32 cap = k->chunks_cap * 2 + 1024;
        if (more(k, &k->chunks, (size_t)cap * sizeof(Chunk))) k->chunks_cap = cap;
    }
    if (!ids) k->broken = 1;
    if (!k->broken) {
        k->chunks[k->nchunks++] = (Chunk){k->npool, (u32)count};
        for (i32 i = 0; i < count && pool(k, k->npool, ids[i]); i++) k->npool++;
        put(k, &k->seen, p, s, id);
    }
    free(ids); Py_DECREF(folded);
    return id;
}

/* One word or chunk from `i` on; where it ends. */
static inline i32 cut(Kernel *k, const unsigned char *s, i32 i, i32 n, Piece *p) {
    i32 at = i;
    unsigned char z[INLINE] = {0}, c;
    p->at = at; p->wide = 0;
    while (i < n) {
        while (i < n && (c = s[i]) < 128 && (c = FOLD[c])) { if (i - at < INLINE) z[i - at] = c; i++; }
        if (i >= n || s[i] < 128) break;
        u32 quote = apostrophe(s + i);
        int alone = stands_alone(s + i);
        if ((quote && possessive(k, s, i, quote)) || (alone && i > at)) break;
        p->wide = 1; i += (i32)width(s[i]);
        if (alone && s[i] < 128) break;
    }
    u32 size = (u32)(i - at);
    if (p->wide) *p = piece_of(s + at, size), p->at = at, p->wide = 1;
    else if (size > INLINE) *p = long_piece(k, s + at, size), p->at = at, p->wide = 0;
    else { memcpy(&p->a, z, 8); memcpy(&p->b, z + 8, 8); p->size = size; p->hash = (u32)mix(p->a, p->b + size); }
    return i;
}

static int reserve(Kernel *k, size_t words) {
    if ((size_t)k->nseq + words <= k->seq_cap) return 1;
    size_t cap = ((size_t)k->nseq + words) * 2 + 1024;
    if (!more(k, &k->seq, cap * 4) || !more(k, &k->next, cap * 4) || !more(k, &k->left, cap * 4) || !more(k, &k->right, cap * 4)) return 0;
    k->seq_cap = cap;
    return 1;
}

static void scan(Kernel *k, const unsigned char *s, i32 n, int title) {
    Piece block[BLOCK];
    i32 ids[BLOCK], i = 0;
    k->start = k->nseq;
    while (i < n) {
        u32 count = 0, quote;
        while (i < n && count < BLOCK) {
            if ((s[i] == '\'' || s[i] >= 128) && (quote = apostrophe(s + i)) && possessive(k, s, i, quote)) { i += (i32)quote + 1; continue; }
            if (s[i] < 128 && !FOLD[s[i]]) { i++; continue; }
            Piece *p = block + count++;
            i = cut(k, s, i, n, p);
            const Table *t = p->wide ? &k->seen : &k->known;
            PREFETCH(t->slots + (p->hash & t->mask));
        }
        size_t words = 0;
        for (u32 z = 0; z < count && !k->broken; z++) {
            ids[z] = block[z].wide ? chunk_id(k, block + z, s + block[z].at) : word_id(k, block + z, s + block[z].at);
            if (!block[z].wide) PREFETCH(k->tokens + ids[z]);
            words += !block[z].wide || k->broken ? 1 : k->chunks[ids[z]].count;
        }
        if (k->broken || !reserve(k, words)) return;
        for (u32 z = 0; z < count; z++)
            if (!block[z].wide) use(k, ids[z], title);
            else for (u32 j = 0; j < k->chunks[ids[z]].count; j++) use(k, k->pool[k->chunks[ids[z]].first + j], title);
    }
}

/* ── rules ── */

static i32 places(const Kernel *k, i32 key, i32 *out, i32 *size) {
    i32 n = 0;
    *size = 1;
    if (!on(k, key)) return 0;
    if (key <= k->words) {
        for (i32 x = k->tokens[key].last; x >= 0; x = k->next[x]) out[n++] = x;
    } else if (key <= k->words + k->prefixes) {
        for (i32 x = k->nseq - 1; x >= 0; x--) {
            const Token *t = k->tokens + k->seq[x];
            for (u32 j = 0; k->seq[x] && j < t->count; j++)
                if (k->pool[t->prefixes + j] == key) { out[n++] = x; break; }
        }
    } else {
        i32 p = key - 1 - k->words - k->prefixes;
        *size = phrase_size(k, p);
        for (i32 x = k->tokens[k->phrase_words[k->phrase_ends[p + 1] - 1]].last; x >= 0; x = k->next[x])
            if (phrase_at(k, p, x - *size + 1)) out[n++] = x - *size + 1;
    }
    return n;                                    /* from the last to the first */
}

/* Does a place of `a` end at most `within` words before one of `b` begins, in the same field? */
static int before(const Kernel *k, const i32 *a, i32 na, i32 size, const i32 *b, i32 nb, i32 within) {
    for (i32 i = 0, j = 0; j < nb; j++) {
        while (i < na && a[i] + size > b[j]) i++;
        if (i == na) return 0;
        if (b[j] - a[i] - size <= within && (a[i] < k->split) == (b[j] < k->split)) return 1;
    }
    return 0;
}

static int near(const Kernel *k, const i32 *c) {
    i32 within = c[1], na = c[2], nb = c[3], la, lb;
    for (i32 i = 0; i < na; i++) {
        i32 x = places(k, c[4 + i], k->left, &la);
        for (i32 j = 0; x && j < nb; j++) {
            i32 y = places(k, c[4 + na + j], k->right, &lb);
            if (y && before(k, k->left, x, la, k->right, y, within)) return 1;
            if (y && c[0] == NEAR && before(k, k->right, y, lb, k->left, x, within)) return 1;
        }
    }
    return 0;
}

static int node(const Kernel *k, i32 at);
/* A reference is a key, or minus the place of a node. */
static inline int holds(const Kernel *k, i32 ref) { return ref >= 0 ? on(k, ref) : node(k, -ref); }

static int node(const Kernel *k, i32 at) {
    const i32 *c = k->code + at, n = c[1];
    switch (c[0]) {
    case ANY: for (i32 i = 2; i < n + 2; i++) if (holds(k, c[i])) return 1; return 0;
    case ALL: for (i32 i = 2; i < n + 2; i++) if (!holds(k, c[i])) return 0; return 1;
    case NONE: for (i32 i = 2; i < n + 2; i++) if (holds(k, c[i])) return 0; return 1;
    case AT_LEAST: { i32 missing = c[2]; for (i32 i = 3; i < n + 3 && missing > 0; i++) missing -= holds(k, c[i]); return missing <= 0; }
    default: return near(k, c);
    }
}

/* Names of the rules that hold. Rules, their code and their names are seldom in the cache: each is
   asked for a little before it is needed. */
static int decide(Kernel *k, i32 *pending, i32 n, PyObject *certain, PyObject *possible) {
    i32 held = 0;
    for (i32 i = 0; i < n; i++) {
        if (i + 16 < n) PREFETCH(k->rule + pending[i + 16]);
        if (i + 8 < n) PREFETCH_CODE(k->code + abs(k->rule[pending[i + 8]].root));
        Rule *r = k->rule + pending[i];
        if (r->epoch == k->epoch) continue;
        r->epoch = k->epoch;
        if (holds(k, r->root)) { PREFETCH(r->name); pending[held++] = pending[i]; }
    }
    for (i32 i = 0; i < held; i++) {
        const Rule *r = k->rule + pending[i];
        if (PyList_Append(r->certain ? certain : possible, r->name) < 0) return 1;
    }
    return 0;
}

static int look_up(Kernel *k, PyObject *certain, PyObject *possible) {
    i32 pending[PENDING], n = 0;
    for (i32 f = 0; f < k->nfired; f++) {
        if (f + 16 < k->nfired) PREFETCH(k->post_ends + k->fired_keys[f + 16]);
        if (f + 8 < k->nfired) PREFETCH_POSTS(k->posts + k->post_ends[k->fired_keys[f + 8]]);
        const Posting *p = k->posts + k->post_ends[k->fired_keys[f]], *end = k->posts + k->post_ends[k->fired_keys[f] + 1];
        for (; p < end; p++) {
            u64 guard = 0;
            for (int g = 0; g < GUARDS; g++) guard |= k->sig[p->guard[g] >> 6] >> (p->guard[g] & 63);
            if (!(guard & 1)) continue;
            pending[n++] = p->rule;
            if (n == PENDING) { if (decide(k, pending, n, certain, possible)) return 1; n = 0; }
        }
    }
    return decide(k, pending, n, certain, possible);
}

/* ── Python ── */

static int clear(Kernel *k) {
    for (i32 i = 0; i < k->nfired; i++) {
        u32 h = sig_of(k->fired_keys[i]);
        k->fired[k->fired_keys[i] >> 6] = 0; k->sig[h >> 6] = 0;
    }
    k->sig[0] |= 1;                              /* what has no guard passes */
    k->nfired = k->nseq = 0; k->split = 0;
    if (k->known.used + k->seen.used > k->base_used + MEMO || k->nbytes > k->base_bytes + MEMO_BYTES) forget(k);
    if (++k->epoch >> 31) {                      /* once in two thousand million articles */
        for (u32 i = 0; i < k->ntokens; i++) k->tokens[i].epoch = 0;
        for (i32 i = 0; i < k->rules; i++) k->rule[i].epoch = 0;
        k->epoch = 1;
    }
    return !k->broken;
}

static PyObject *failed(Kernel *k) {
    k->broken = 0;
    return PyErr_Occurred() ? NULL : PyErr_NoMemory();
}

static PyObject *match(PyObject *self, PyObject *args) {
    Kernel *k = (Kernel *)self;
    const char *title, *body;
    Py_ssize_t nt, nb;
    if (!PyArg_ParseTuple(args, "s#s#", &title, &nt, &body, &nb)) return NULL;
    if (nt > INT32_MAX / 8 || nb > INT32_MAX / 8) { PyErr_SetString(PyExc_ValueError, "text is too long"); return NULL; }
    if (!clear(k)) return failed(k);
    k->split = INT32_MAX;
    scan(k, (const unsigned char *)title, (i32)nt, 1);
    k->split = k->nseq;
    if (!k->broken) scan(k, (const unsigned char *)body, (i32)nb, 0);
    if (k->broken) return failed(k);
    PyObject *certain = PyList_New(0), *possible = PyList_New(0), *both = NULL;
    if (certain && possible && !look_up(k, certain, possible)) both = PyTuple_Pack(2, certain, possible);
    Py_XDECREF(certain); Py_XDECREF(possible);
    return both;
}

static PyObject *seen(PyObject *self, PyObject *Py_UNUSED(none)) {
    return PyLong_FromUnsignedLong(((Kernel *)self)->known.used + ((Kernel *)self)->seen.used);
}

/* Numbers of a program, copied. */
static i32 *numbers(Kernel *k, const Py_buffer *b) {
    i32 *p = room(k, (size_t)b->len + 4);
    if (p) memcpy(p, b->buf, (size_t)b->len);
    return p;
}

static int by_size(const void *a, const void *b) { return (*(const u32 *)a > *(const u32 *)b) - (*(const u32 *)a < *(const u32 *)b); }

/* Literals as one run of bytes, each ending where `ends` says; `id` of the first. */
static int literals(Kernel *k, const Py_buffer *text, const Py_buffer *ends, i32 id, int prefixes) {
    const unsigned char *s = text->buf;
    const i32 *end = ends->buf;
    i32 n = (i32)(ends->len / 4), from = 0;
    if (prefixes && !(k->lengths = room(k, (size_t)(n + 1) * 4))) return 0;
    for (i32 i = 0; i < n; from = end[i++]) {
        u32 size = (u32)(end[i] - from);
        Piece p = piece_of(s + from, size);
        if (prefixes) { k->lengths[k->nlengths++] = size; if (!put(k, &k->beginnings, &p, s + from, id + i)) return 0; }
        else { intern(k, &p, s + from, id + i); if (k->broken) return 0; }
    }
    if (prefixes && k->nlengths) {
        u32 kept = 1;
        qsort(k->lengths, k->nlengths, 4, by_size);
        for (u32 i = 1; i < k->nlengths; i++) if (k->lengths[i] != k->lengths[kept - 1]) k->lengths[kept++] = k->lengths[i];
        k->nlengths = kept;
    }
    return 1;
}

/* Phrases by their last two words; those of a pair lie side by side. */
static int pair_up(Kernel *k) {
    u32 size = 1024;
    while (size < (u32)k->phrases * 3) size *= 2;
    k->pair_mask = size - 1;
    k->pairs = room(k, (size_t)size * sizeof(Pair)); k->bloom = room(k, BLOOM / 8); k->endings = room(k, (size_t)k->phrases * sizeof(Ending));
    for (i32 pass = 0, first = 0; pass < 2 && !k->broken; pass++) {
        for (i32 p = 0; p < k->phrases; p++) {
            const i32 *end = k->phrase_words + k->phrase_ends[p + 1];
            u64 words = (u64)(u32)end[-2] << 32 | (u32)end[-1], h = mix(words, 7);
            u32 b = (u32)(h >> 40) & (BLOOM - 1);
            Pair *pair = pair_of(k, words, h);
            k->bloom[b >> 6] |= 1ull << (b & 63);
            pair->words = words;
            if (pass) k->endings[pair->first + pair->count] = (Ending){p, phrase_size(k, p) > 2 ? end[-3] : 0};
            pair->count++;
        }
        for (u32 i = 0; !pass && i < size; i++) { k->pairs[i].first = first; first += k->pairs[i].count; k->pairs[i].count = 0; }
    }
    return !k->broken;
}

/* A node's first reference, and its size. */
static i32 head(const i32 *c) { return c[0] < AT_LEAST ? 2 : c[0] == AT_LEAST ? 3 : 4; }
static i32 size_of(const i32 *c) { return head(c) + (c[0] <= AT_LEAST ? c[1] : c[2] + c[3]); }

/* Literals come numbered as they were met; nodes and postings are told their keys. */
static void number(i32 *code, i32 size, const i32 *key) {
    for (i32 at = 1, n; at < size; at += n) {
        i32 *c = code + at;
        n = size_of(c);
        for (i32 i = head(c); i < n; i++) if (c[i] > 0) c[i] = key[c[i]];
    }
}

/* Postings in the order of their keys. */
static int file(Kernel *k, const i32 *keys, const Py_buffer *literals, const Py_buffer *rules, const Py_buffer *guards) {
    const i32 *rule = rules->buf, *guard = guards->buf;
    i32 n = (i32)(literals->len / 4), *key = numbers(k, literals);
    for (i32 i = 0; key && i < n; i++) key[i] = keys[key[i]];
    k->post_ends = room(k, (size_t)(k->keys + 2) * 4); k->posts = room(k, (size_t)(n + 1) * sizeof(Posting));
    if (k->broken) { free(key); return 0; }
    for (i32 i = 0; i < n; i++) k->post_ends[key[i] + 1]++;
    for (i32 i = 0; i <= k->keys; i++) k->post_ends[i + 1] += k->post_ends[i];
    for (i32 i = n - 1; i >= 0; i--) {           /* from behind: counts become places */
        Posting *p = k->posts + --k->post_ends[key[i] + 1];
        p->rule = rule[i];
        for (int g = 0; g < GUARDS; g++) { i32 q = guard[i * GUARDS + g]; p->guard[g] = q ? (uint16_t)sig_of(keys[q]) : 0; }
    }
    free(key);
    memmove(k->post_ends, k->post_ends + 1, (size_t)(k->keys + 1) * 4);
    k->post_ends[k->keys + 1] = n;
    return 1;
}

typedef struct { i32 *code, *places; u32 used, cap; } Layout;

/* A node, then the small ones below it; large ones stay shared. */
static i32 lay(Kernel *k, Layout *l, i32 at) {
    i32 size = size_of(k->code + at), place = (i32)l->used;
    if (size > SHARED && l->places[at]) return l->places[at];
    if (l->used + (u32)size > l->cap) {
        u32 cap = (l->used + (u32)size) * 2;
        if (!more(k, &l->code, (size_t)cap * 4)) return 0;
        l->cap = cap;
    }
    if (size > SHARED) l->places[at] = place;
    memcpy(l->code + place, k->code + at, (size_t)size * 4);
    l->used += (u32)size;
    for (i32 i = head(k->code + at); i < size && !k->broken; i++) {
        i32 ref = k->code[at + i];
        if (ref < 0) { ref = -lay(k, l, -ref); l->code[place + i] = ref; }
    }
    return place;
}

/* What is filed together is decided together: such rules and their code lie side by side. */
static int settle(Kernel *k, const i32 *root, const unsigned char *certain, u32 code) {
    Layout l = {room(k, (size_t)code * 4), room(k, (size_t)code * 4), 1, code};
    i32 *place = room(k, (size_t)k->rules * 4), next = 0, posts = k->post_ends[k->keys + 1];
    for (i32 i = 0; i < posts && !k->broken; i++) {
        i32 n = k->posts[i].rule;
        if (!place[n]) {
            k->rule[next] = (Rule){PyTuple_GetItem(k->names, n), root[n] < 0 ? -lay(k, &l, -root[n]) : root[n], 0, certain[n]};
            place[n] = ++next;
        }
        k->posts[i].rule = place[n] - 1;
    }
    free(place); free(l.places); free(k->code);
    k->code = l.code;
    return !k->broken;
}

enum { KEYS, WORDS, WORD_ENDS, PREFIXES, PREFIX_ENDS, PHRASES, PHRASE_ENDS, TITLES, CODE, ROOTS, CERTAIN, POST_KEYS, POST_RULES, POST_GUARDS, BUFFERS };

static int build(Kernel *k, Py_buffer *b) {
    k->words = (i32)(b[WORD_ENDS].len / 4); k->prefixes = (i32)(b[PREFIX_ENDS].len / 4);
    k->phrases = (i32)(b[PHRASE_ENDS].len / 4) - 1; k->keys = (i32)(b[TITLES].len / 4); k->rules = (i32)(b[ROOTS].len / 4);
    k->limit = INLINE;
    for (int which = WORD_ENDS; which <= PREFIX_ENDS; which += 2)
        for (i32 i = 0, from = 0, *end = b[which].buf; i < (i32)(b[which].len / 4); from = end[i++])
            if ((u32)(end[i] - from) > k->limit) k->limit = (u32)(end[i] - from);
    k->ntokens = (u32)k->words + 1; k->tokens_cap = k->ntokens + 4096;
    k->tokens = room(k, (size_t)k->tokens_cap * sizeof(Token)); k->scratch = room(k, k->limit + 8);
    if (k->broken || !table_new(k, &k->known, (u32)k->words + 4096) || !table_new(k, &k->beginnings, (u32)k->prefixes) || !table_new(k, &k->seen, 0)) return 0;
    if (!literals(k, b + PREFIXES, b + PREFIX_ENDS, k->words + 1, 1) || !literals(k, b + WORDS, b + WORD_ENDS, 1, 0)) return 0;
    k->base_tokens = k->ntokens; k->base_pool = k->npool; k->base_used = k->known.used; k->base_bytes = k->nbytes;
    k->phrase_words = numbers(k, b + PHRASES); k->phrase_ends = numbers(k, b + PHRASE_ENDS);
    k->title = numbers(k, b + TITLES); k->code = numbers(k, b + CODE);
    k->rule = room(k, (size_t)k->rules * sizeof(Rule)); k->fired = room(k, ((size_t)k->keys / 64 + 2) * 8);
    k->fired_keys = room(k, (size_t)(k->keys + 1) * 4);
    const i32 *key = b[KEYS].buf, *root = b[ROOTS].buf;
    if (k->broken || !pair_up(k) || !file(k, key, b + POST_KEYS, b + POST_RULES, b + POST_GUARDS)) return 0;
    number(k->code, (i32)(b[CODE].len / 4), key);
    i32 *roots = numbers(k, b + ROOTS);
    for (i32 i = 0; roots && i < k->rules; i++) if (root[i] > 0) roots[i] = key[root[i]];
    int settled = roots && settle(k, roots, b[CERTAIN].buf, (u32)(b[CODE].len / 4));
    free(roots);
    return settled;
}

static PyObject *kernel_new(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(named)) {
    Py_buffer b[BUFFERS];
    memset(b, 0, sizeof b);
    PyObject *fold, *is_alnum, *names;
    int built = 0;
    if (!PyArg_ParseTuple(args, "OOO!y*y*y*y*y*y*y*y*y*y*y*y*y*y*", &fold, &is_alnum, &PyTuple_Type, &names, b, b + 1, b + 2, b + 3, b + 4, b + 5, b + 6, b + 7, b + 8, b + 9, b + 10, b + 11, b + 12, b + 13))
        return NULL;
    allocfunc make = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    Kernel *k = (Kernel *)make(type, 0);
    if (k) { k->fold = Py_NewRef(fold); k->is_alnum = Py_NewRef(is_alnum); k->names = Py_NewRef(names); built = build(k, b); }
    for (int i = 0; i < BUFFERS; i++) PyBuffer_Release(b + i);
    if (k && !built) { Py_DECREF(k); return PyErr_NoMemory(); }
    return (PyObject *)k;
}

static void kernel_free(PyObject *self) {
    Kernel *k = (Kernel *)self;
    void *all[] = {k->known.slots, k->beginnings.slots, k->seen.slots, k->tokens, k->chunks, k->pool, k->bytes, k->lengths, k->phrase_words, k->phrase_ends, k->endings,
                   k->pairs, k->bloom, k->title, k->code, k->rule, k->post_ends, k->posts, k->fired, k->fired_keys, k->seq, k->next, k->left, k->right, k->scratch};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
    Py_XDECREF(k->fold); Py_XDECREF(k->is_alnum); Py_XDECREF(k->names);
    PyTypeObject *type = Py_TYPE(self);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

static PyMethodDef methods[] = {
    {"match", match, METH_VARARGS, "match(title, body) -> (certain, possible): names of rules."},
    {"seen", seen, METH_NOARGS, "How many different words and chunks are remembered."},
    {NULL, NULL, 0, NULL}};
static PyType_Slot slots[] = {{Py_tp_new, kernel_new}, {Py_tp_dealloc, kernel_free}, {Py_tp_methods, methods},
                              {Py_tp_doc, "A compiled rule set. Not thread-safe beyond the GIL."}, {0, NULL}};
static PyType_Spec spec = {"watcher.matching._kernel.Kernel", sizeof(Kernel), 0, Py_TPFLAGS_DEFAULT, slots};

static int ready(PyObject *module) {
    fold_table();
    PyObject *word = PyUnicode_FromString("seed");
    if (!word) return -1;
    SEED = (u64)PyObject_Hash(word) ^ 0x9E3779B97F4A7C15ull;
    Py_DECREF(word);
    PyObject *type = PyType_FromModuleAndSpec(module, &spec, NULL);
    int failed = !type || PyModule_AddObjectRef(module, "Kernel", type) < 0;
    Py_XDECREF(type);
    return failed ? -1 : 0;
}

static PyModuleDef_Slot module_slots[] = {{Py_mod_exec, ready}, {0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_kernel", NULL, 0, NULL, module_slots, NULL, NULL, NULL};
PyMODINIT_FUNC PyInit__kernel(void) { return PyModuleDef_Init(&module); }
