/* Interning: byte strings (symbols, topics, patterns) to dense ids 0, 1, 2, ...
 *
 * Contract
 *   fr_intern_init    makes an empty table; allocates nothing. `seed` should be random where keys
 *                     come from clients: it keys the hash, so collisions cannot be prepared.
 *   fr_intern_free    releases everything; the table is empty again and may be used or freed again.
 *   fr_intern_find    the id of a key, FR_INTERN_NONE when it was never added.
 *   fr_intern_add     the id of a key, new or not; FR_INTERN_NONE when memory ran out or the key
 *                     is 4 GiB or longer, and then nothing has changed. Ids are given in order and
 *                     never taken back.
 *   fr_intern_key     the bytes of an id below fr_intern_count, and their number in *n. The pointer
 *                     stays good until fr_intern_free; no terminator.
 *   One thread at a time. Keys are any bytes, none at all included.
 *
 * Open addressing with linear probing over 8-byte slots (hash, id + 1), a power of two of them,
 * doubled at half full, so that a look-up rarely steps on. Keys live in an arena of chunks that never move.
 */
#ifndef FR_INTERN_HPP
#define FR_INTERN_HPP

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#define FR_INTERN_NONE UINT32_MAX

struct fr_intern_slot {
  uint32_t hash;
  uint32_t id_plus_1; /* 0: empty */
};

struct fr_intern_entry {
  const char* key;
  uint32_t length;
  uint32_t hash;
};

struct fr_intern_chunk {
  fr_intern_chunk* previous;
  /* the keys' bytes follow */
};

struct fr_intern {
  fr_intern_slot* slots;
  uint32_t mask;  /* slots - 1 */
  uint32_t count; /* ids given */
  uint64_t seed[2];
  fr_intern_entry* entries; /* by id */
  uint32_t entry_room;
  uint32_t free_bytes; /* left in the newest chunk, from free_at */
  char* free_at;
  fr_intern_chunk* chunks;
};

/* What an empty table (mask 0) looks in, so that find needs no test. Never written, never freed. */
static inline fr_intern_slot* fr_intern_no_slots(void) {
  static fr_intern_slot none = {0, 0};
  return &none;
}

static inline uint64_t fr_load8(const char* p) {
  uint64_t word;
  memcpy(&word, p, 8);
  return word;
}

static inline uint64_t fr_load4(const char* p) {
  uint32_t word;
  memcpy(&word, p, 4);
  return word;
}

/* n < 8 bytes as two words that differ whenever the bytes do (n being equal). */
static inline void fr_load_short(const char* p, size_t n, uint64_t* a, uint64_t* b) {
  if (n >= 4) {
    *a = fr_load4(p);
    *b = fr_load4(p + n - 4);
  } else if (n > 0) {
    *a = (uint64_t)(unsigned char)p[0] | (uint64_t)(unsigned char)p[n >> 1] << 8;
    *b = (unsigned char)p[n - 1];
  } else {
    *a = *b = 0;
  }
}

__extension__ typedef unsigned __int128 fr_u128;

/* Both halves of the 128-bit product, folded: every input bit reaches every output bit. */
static inline uint64_t fr_mix(uint64_t a, uint64_t b) {
  const fr_u128 product = (fr_u128)a * b;
  return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint32_t fr_intern_hash(const fr_intern* t, const char* key, size_t n) {
  uint64_t a, b, h = t->seed[0];
  if (n < 8) {
    fr_load_short(key, n, &a, &b);
  } else {
    size_t i = 0;
    for (; n - i > 16; i += 16)
      h = fr_mix(fr_load8(key + i) ^ h, fr_load8(key + i + 8) ^ t->seed[1]);
    /* the last 8 to 16 bytes, as two words that may overlap or reach back */
    a = fr_load8(n - i >= 8 ? key + i : key + n - 8);
    b = fr_load8(key + n - 8);
  }
  h = fr_mix(a ^ h, b ^ t->seed[1]);
  return (uint32_t)fr_mix(h ^ n, t->seed[1]);
}

static inline bool fr_same_bytes(const char* x, const char* y, size_t n) {
  if (n < 8) {
    uint64_t xa, xb, ya, yb;
    fr_load_short(x, n, &xa, &xb);
    fr_load_short(y, n, &ya, &yb);
    return xa == ya && xb == yb;
  }
  for (size_t i = 0; i + 8 < n; i += 8)
    if (fr_load8(x + i) != fr_load8(y + i)) return false;
  return fr_load8(x + n - 8) == fr_load8(y + n - 8);
}

/* splitmix64: spreads a poor seed (0, 1, 2, ...) over all bits. */
static inline uint64_t fr_spread(uint64_t x) {
  x += 0x9e3779b97f4a7c15ull;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

static inline void fr_intern_init(fr_intern* t, uint64_t seed) {
  memset(t, 0, sizeof *t);
  t->slots = fr_intern_no_slots();
  t->seed[0] = fr_spread(seed);
  t->seed[1] = fr_spread(t->seed[0]) | 1;
}

static inline void fr_intern_free(fr_intern* t) {
  if (t->mask != 0) free(t->slots);
  free(t->entries);
  while (t->chunks != NULL) {
    fr_intern_chunk* previous = t->chunks->previous;
    free(t->chunks);
    t->chunks = previous;
  }
  t->slots = fr_intern_no_slots();
  t->mask = t->count = t->entry_room = t->free_bytes = 0;
  t->entries = NULL;
  t->free_at = NULL;
}

static inline uint32_t fr_intern_count(const fr_intern* t) { return t->count; }

static inline const char* fr_intern_key(const fr_intern* t, uint32_t id, size_t* n) {
  *n = t->entries[id].length;
  return t->entries[id].key;
}

static inline uint32_t fr_intern_find_hashed(const fr_intern* t, const char* key, size_t n,
                                             uint32_t hash) {
  for (uint32_t i = hash & t->mask;; i = (i + 1) & t->mask) {
    const fr_intern_slot slot = t->slots[i];
    if (slot.id_plus_1 == 0) return FR_INTERN_NONE;
    if (slot.hash != hash) continue;
    const fr_intern_entry* entry = &t->entries[slot.id_plus_1 - 1];
    if (entry->length == n && fr_same_bytes(entry->key, key, n)) return slot.id_plus_1 - 1;
  }
}

static inline uint32_t fr_intern_find(const fr_intern* t, const char* key, size_t n) {
  return fr_intern_find_hashed(t, key, n, fr_intern_hash(t, key, n));
}

static inline void fr_intern_place(fr_intern_slot* slots, uint32_t mask, uint32_t hash,
                                   uint32_t id) {
  uint32_t i = hash & mask;
  while (slots[i].id_plus_1 != 0) i = (i + 1) & mask;
  slots[i].hash = hash;
  slots[i].id_plus_1 = id + 1;
}

/* Room for one more slot and entry; -1 when there is no memory. */
static inline int fr_intern_grow(fr_intern* t) {
  if (t->count == t->entry_room) {
    const uint32_t room = t->entry_room == 0 ? 32 : t->entry_room * 2;
    if (room < t->entry_room) return -1;
    void* entries = realloc(t->entries, room * sizeof(fr_intern_entry));
    if (entries == NULL) return -1;
    t->entries = (fr_intern_entry*)entries;
    t->entry_room = room;
  }
  if (t->mask != 0 && (uint64_t)t->count * 2 < (uint64_t)t->mask + 1) return 0;
  if (t->mask >= UINT32_MAX / 2) return -1;
  const uint32_t mask = t->mask == 0 ? 63 : t->mask * 2 + 1;
  fr_intern_slot* slots = (fr_intern_slot*)calloc((size_t)mask + 1, sizeof(fr_intern_slot));
  if (slots == NULL) return -1;
  for (uint32_t id = 0; id < t->count; id++) fr_intern_place(slots, mask, t->entries[id].hash, id);
  if (t->mask != 0) free(t->slots);
  t->slots = slots;
  t->mask = mask;
  return 0;
}

/* A lasting copy of the key; NULL when there is no memory. */
static inline const char* fr_intern_copy(fr_intern* t, const char* key, size_t n) {
  static constexpr size_t usual = 65536 - 64;
  if (n > t->free_bytes || t->free_at == NULL) {
    const size_t room = n > usual ? n : usual;
    fr_intern_chunk* chunk = (fr_intern_chunk*)malloc(sizeof(fr_intern_chunk) + room);
    if (chunk == NULL) return NULL;
    chunk->previous = t->chunks;
    t->chunks = chunk;
    t->free_at = (char*)(chunk + 1);
    t->free_bytes = (uint32_t)room;
  }
  char* copy = t->free_at;
  if (n > 0) memcpy(copy, key, n);
  t->free_at += n;
  t->free_bytes -= (uint32_t)n;
  return copy;
}

static inline uint32_t fr_intern_add(fr_intern* t, const char* key, size_t n) {
  if (n >= UINT32_MAX) return FR_INTERN_NONE;
  const uint32_t hash = fr_intern_hash(t, key, n);
  const uint32_t found = fr_intern_find_hashed(t, key, n, hash);
  if (found != FR_INTERN_NONE) return found;
  if (fr_intern_grow(t) != 0) return FR_INTERN_NONE;
  const char* copy = fr_intern_copy(t, key, n);
  if (copy == NULL) return FR_INTERN_NONE;
  const uint32_t id = t->count++;
  t->entries[id] = {copy, (uint32_t)n, hash};
  fr_intern_place(t->slots, t->mask, hash, id);
  return id;
}

#endif
