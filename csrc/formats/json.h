/* json.h -- a strict reader of JSON texts (RFC 8259) for the headers of files.
**
** A cursor walks over the text; every step says whether it found what it wanted, and the first that did not
** leaves the reason in `problem`.  Nothing is allocated: a string is decoded in place, over its own spelling,
** which is never shorter; so the text is overwritten while it is read. */
#ifndef PERILUNE_JSON_H
#define PERILUNE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct json {
  char *text, *next, *end;
  const char *problem;      /* NULL: none so far */
} json;

typedef struct json_string { const char *data; size_t length; } json_string;      /* UTF-8; may contain zeros */

json json_open(char *text, size_t n_bytes);
bool json_refuse(json *j, const char *problem);      /* remembers the first problem; false */
bool json_expect(json *j, char wanted);              /* the next token is this character */
bool json_accept(json *j, char wanted);              /* the same, but it is no problem if it is not */
bool json_read_string(json *j, json_string *out);
bool json_read_size(json *j, uint64_t *out);         /* an integer of 0 to 2^63 - 1, without sign or fraction */
bool json_skip_value(json *j);                       /* whatever comes next; nested at most 32 deep */
bool json_at_end(json *j);                           /* only white space is left */

/* Is this valid UTF-8 (no overlong forms, no surrogates)? */
bool utf8_is_valid(const char *text, size_t n_bytes);

#endif
