/* Lines of a text table as packed rows, for the tables that are as they should be.
 *
 * Contract
 *   fr_scan_lines   reads whole lines of [s, end); each becomes a row of `row_size` bytes at `rows`
 *                   (room for `most`), which is a copy of `blank` with what the line's cells say.
 *                   Returns how many lines there were, or -1 at the first one that is not
 *                   `width` cells, quoted as a whole or not at all, and all of them good: who wants
 *                   to know why reads it otherwise.
 *                   The byte at `end` must be a NUL. Lines end with \n or \r\n, the last may lack it.
 *   fr_scan_fits    may cells end with this delimiter?
 *
 * A text's bytes are looked up in `texts`; one that is new gets a number there, and it is the
 * caller who decides whether it is good: `good[number]` is 0 for one that is not. Numbers from
 * `known` on have not been decided yet and pass.
 */
#ifndef FR_SCAN_HPP
#define FR_SCAN_HPP

#include "cell.hpp"
#include "intern.hpp"

#define FR_SCAN_WIDTH 64 /* columns at most */

enum fr_scan_what { FR_SCAN_SKIP, FR_SCAN_TIME, FR_SCAN_TEXT, FR_SCAN_NUMBER, FR_SCAN_VOLUME };

struct fr_scan_column {
  uint8_t what;
  bool may_be_empty; /* a number: then it is that of the blank row */
  uint16_t offset;   /* of its field in the row */
  uint16_t size;     /* of a text's field */
  uint8_t table;     /* of a text */
};

struct fr_scan_texts {
  fr_intern* texts;
  const uint8_t* good;
  uint32_t known;
};

struct fr_scan {
  fr_scan_column columns[FR_SCAN_WIDTH];
  int width;
  char delimiter;
  fr_cell_form form;
  int64_t unit; /* ns, of FR_CELL_UNITS */
  const char* blank;
  size_t row_size;
  fr_scan_texts tables[2];
};

static inline bool fr_scan_fits(char delimiter) {
  return delimiter > 0 && !strchr("0123456789+-.eE \r\n\"", delimiter);
}

/* Where the cell at `at` ends: a delimiter, a line's end or the text's; NULL for a quote. */
static inline const char* fr_scan_cell(const char* at, const char* end, char delimiter) {
  for (;; at++) {
    const char c = *at;
    if (c == delimiter || c == '\n' || c == '\r') return at;
    if (c == '"') return NULL;
    if (c == '\0') return at == end ? at : NULL;
  }
}

/* Where the text of a cell ends whose opening quote is before `at`; NULL when there is another
 * quote in it, or a line's end. */
static inline const char* fr_scan_quoted(const char* at, const char* end, char delimiter) {
  while (*at != '"') {
    if (*at == '\n' || *at == '\r' || *at == '\0') return NULL;
    at++;
  }
  const char c = at[1];
  return c == delimiter || c == '\n' || c == '\r' || at + 1 == end ? at : NULL;
}

static inline bool fr_scan_text(const fr_scan_column* column, const fr_scan_texts* table,
                                const char* s, const char* e, char* row) {
  const size_t n = (size_t)(e - s);
  if (n == 0 || n > column->size) return false;
  const uint32_t number = fr_intern_add(table->texts, s, n);
  if (number == FR_INTERN_NONE || (number < table->known && !table->good[number])) return false;
  memcpy(row + column->offset, s, n);
  return true;
}

static inline bool fr_scan_value(const fr_scan* scan, const fr_scan_column* column, const char* s,
                                 const char* e, char* row, double* volume) {
  if (column->what == FR_SCAN_TEXT)
    return fr_scan_text(column, &scan->tables[column->table], s, e, row);
  while (s < e && *s == ' ') s++;
  while (s < e && e[-1] == ' ') e--;
  if (column->what == FR_SCAN_TIME) {
    int64_t time;
    if (!fr_cell_time(s, e, scan->form, scan->unit, &time)) return false;
    memcpy(row + column->offset, &time, sizeof time);
    return true;
  }
  double value;
  if (s == e) return column->may_be_empty;
  if (!fr_cell_double(s, e, &value)) return false;
  if (column->what == FR_SCAN_VOLUME)
    *volume = value;
  else
    memcpy(row + column->offset, &value, sizeof value);
  return true;
}

/* One line, not its end; NULL when it is not as it should be. */
static inline const char* fr_scan_line(const fr_scan* scan, const char* at, const char* end,
                                       char* row, double* volume) {
  for (int i = 0; i < scan->width; i++) {
    const fr_scan_column* column = &scan->columns[i];
    const bool is_quoted = *at == '"';
    at += is_quoted;
    const char* stop = (is_quoted ? fr_scan_quoted : fr_scan_cell)(at, end, scan->delimiter);
    if (stop == NULL) return NULL;
    if (column->what != FR_SCAN_SKIP && !fr_scan_value(scan, column, at, stop, row, volume))
      return NULL;
    at = stop + is_quoted;
    if ((*at == scan->delimiter) != (i + 1 < scan->width)) return NULL;
    at += i + 1 < scan->width;
  }
  return at;
}

static inline int64_t fr_scan_lines(const fr_scan* scan, const char* s, const char* end, char* rows,
                                    double* volumes, int64_t most) {
  int64_t count = 0;
  double ignored;
  while (s < end) {
    if (count == most) return -1;
    char* row = rows + (size_t)count * scan->row_size;
    memcpy(row, scan->blank, scan->row_size);
    if (volumes != NULL) volumes[count] = 0.0;
    s = fr_scan_line(scan, s, end, row, volumes == NULL ? &ignored : &volumes[count]);
    if (s == NULL) return -1;
    if (*s == '\r') s++;
    if (s < end && *s++ != '\n') return -1;
    count++;
  }
  return count;
}

#endif
