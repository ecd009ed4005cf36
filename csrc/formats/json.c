/* json.c -- a strict reader of JSON texts (RFC 8259) for the headers of files.  See json.h. */
#include "json.h"

#include <string.h>

enum { MAX_DEPTH = 32 };

json json_open(char *text, size_t n_bytes) { return (json){.text = text, .next = text, .end = text + n_bytes}; }

bool json_refuse(json *j, const char *problem) {
  if (j->problem == NULL) j->problem = problem;
  return false;
}

static void skip_space(json *j) {
  while (j->next < j->end && (*j->next == ' ' || *j->next == '\t' || *j->next == '\n' || *j->next == '\r')) j->next++;
}

bool json_accept(json *j, char wanted) {
  skip_space(j);
  if (j->next >= j->end || *j->next != wanted) return false;
  j->next++;
  return true;
}

bool json_expect(json *j, char wanted) {
  if (json_accept(j, wanted)) return true;
  switch (wanted) {
    case '{': return json_refuse(j, "'{' is missing");
    case '}': return json_refuse(j, "'}' is missing");
    case '[': return json_refuse(j, "'[' is missing");
    case ']': return json_refuse(j, "']' is missing");
    case ':': return json_refuse(j, "':' is missing");
    default: return json_refuse(j, "',' is missing");
  }
}

bool json_at_end(json *j) {
  skip_space(j);
  return j->next == j->end;
}

/* -- strings -- */

static bool read_hex4(json *j, uint32_t *out) {
  *out = 0;
  if (j->end - j->next < 4) return json_refuse(j, "a \\u in a string is cut off");
  for (int k = 0; k < 4; k++) {
    char digit = *j->next++;
    uint32_t value;
    if (digit >= '0' && digit <= '9') value = (uint32_t)(digit - '0');
    else if (digit >= 'a' && digit <= 'f') value = (uint32_t)(digit - 'a') + 10;
    else if (digit >= 'A' && digit <= 'F') value = (uint32_t)(digit - 'A') + 10;
    else return json_refuse(j, "a \\u in a string is not followed by four hexadecimal digits");
    *out = *out << 4 | value;
  }
  return true;
}

/* A code point, also one that is spelled as two surrogates. */
static bool read_unicode(json *j, uint32_t *out) {
  uint32_t low;
  if (!read_hex4(j, out)) return false;
  if (*out < 0xd800 || *out > 0xdfff) return true;
  bool paired = *out < 0xdc00 && j->end - j->next >= 2 && j->next[0] == '\\' && j->next[1] == 'u';
  if (!paired) return json_refuse(j, "half of a surrogate pair in a string");
  j->next += 2;
  if (!read_hex4(j, &low)) return false;
  if (low < 0xdc00 || low > 0xdfff) return json_refuse(j, "half of a surrogate pair in a string");
  *out = 0x10000 + ((*out - 0xd800) << 10) + (low - 0xdc00);
  return true;
}

static char *put_utf8(char *to, uint32_t code) {
  if (code < 0x80) {
    *to++ = (char)code;
    return to;
  }
  int n_more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  static const unsigned char lead[4] = {0, 0xc0, 0xe0, 0xf0};
  *to++ = (char)(lead[n_more] | code >> (6 * n_more));
  while (n_more-- > 0) *to++ = (char)(0x80 | (code >> (6 * n_more) & 0x3f));
  return to;
}

static bool read_escape(json *j, char **to) {
  static const char letters[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
  uint32_t code;
  if (j->next >= j->end) return json_refuse(j, "a string does not end");
  char letter = *j->next++;
  if (letter == 'u') {
    if (!read_unicode(j, &code)) return false;
    *to = put_utf8(*to, code);
    return true;
  }
  const char *found = letter != '\0' ? strchr(letters, letter) : NULL;
  if (found == NULL) return json_refuse(j, "an unknown escape in a string");
  *(*to)++ = values[found - letters];
  return true;
}

bool json_read_string(json *j, json_string *out) {
  if (!json_accept(j, '"')) return json_refuse(j, "a string is missing");
  char *to = j->next;
  out->data = to;
  while (j->next < j->end && *j->next != '"') {
    if ((unsigned char)*j->next < 0x20) return json_refuse(j, "a control character in a string");
    if (*j->next != '\\') *to++ = *j->next++;
    else {
      j->next++;
      if (!read_escape(j, &to)) return false;
    }
  }
  if (j->next >= j->end) return json_refuse(j, "a string does not end");
  j->next++;
  out->length = (size_t)(to - out->data);
  return true;
}

/* -- numbers and the rest -- */

static bool is_digit(const json *j) { return j->next < j->end && *j->next >= '0' && *j->next <= '9'; }

bool json_read_size(json *j, uint64_t *out) {
  static const char problem[] = "a size or offset is not an integer from 0 to 2^63 - 1";
  uint64_t value = 0;
  skip_space(j);
  if (!is_digit(j)) return json_refuse(j, problem);
  if (*j->next == '0' && j->end - j->next > 1 && j->next[1] >= '0' && j->next[1] <= '9')
    return json_refuse(j, problem);
  while (is_digit(j)) {
    uint64_t digit = (uint64_t)(*j->next++ - '0');
    if (value > (INT64_MAX - digit) / 10) return json_refuse(j, problem);
    value = value * 10 + digit;
  }
  if (j->next < j->end && (*j->next == '.' || *j->next == 'e' || *j->next == 'E')) return json_refuse(j, problem);
  *out = value;
  return true;
}

static bool skip_digits(json *j) {
  if (!is_digit(j)) return json_refuse(j, "a number has no digits");
  while (is_digit(j)) j->next++;
  return true;
}

static bool skip_number(json *j) {
  if (*j->next == '-') j->next++;
  if (j->end - j->next > 1 && j->next[0] == '0' && j->next[1] >= '0' && j->next[1] <= '9')
    return json_refuse(j, "a number begins with 0");
  if (!skip_digits(j)) return false;
  if (j->next < j->end && *j->next == '.') {
    j->next++;
    if (!skip_digits(j)) return false;
  }
  if (j->next >= j->end || (*j->next != 'e' && *j->next != 'E')) return true;
  j->next++;
  if (j->next < j->end && (*j->next == '+' || *j->next == '-')) j->next++;
  return skip_digits(j);
}

static bool skip_word(json *j) {
  static const char *const words[] = {"true", "false", "null"};
  for (size_t k = 0; k < sizeof words / sizeof words[0]; k++) {
    size_t n = strlen(words[k]);
    if ((size_t)(j->end - j->next) < n || memcmp(j->next, words[k], n) != 0) continue;
    j->next += n;
    return true;
  }
  return json_refuse(j, "a value is missing");
}

static bool skip_nested(json *j, int depth);

static bool skip_items(json *j, char close, int depth) {
  json_string key;
  if (json_accept(j, close)) return true;
  do {
    if (close == '}' && !(json_read_string(j, &key) && json_expect(j, ':'))) return false;
    if (!skip_nested(j, depth + 1)) return false;
  } while (json_accept(j, ','));
  return json_expect(j, close);
}

static bool skip_nested(json *j, int depth) {
  json_string ignored;
  if (depth > MAX_DEPTH) return json_refuse(j, "values are nested too deeply");
  if (json_accept(j, '{')) return skip_items(j, '}', depth);
  if (json_accept(j, '[')) return skip_items(j, ']', depth);
  skip_space(j);
  if (j->next >= j->end) return json_refuse(j, "a value is missing");
  if (*j->next == '"') return json_read_string(j, &ignored);
  if (*j->next == '-' || is_digit(j)) return skip_number(j);
  return skip_word(j);
}

bool json_skip_value(json *j) { return skip_nested(j, 1); }

/* -- UTF-8 (RFC 3629) -- */

/* Bytes of the character at text, or 0 if it is none. */
static size_t utf8_length(const unsigned char *text, size_t n_left) {
  unsigned char lead = text[0];
  if (lead < 0x80) return 1;
  size_t n = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || n > n_left) return 0;
  for (size_t k = 1; k < n; k++)
    if ((text[k] & 0xc0) != 0x80) return 0;
  if ((lead == 0xe0 && text[1] < 0xa0) || (lead == 0xed && text[1] > 0x9f)) return 0;
  if ((lead == 0xf0 && text[1] < 0x90) || (lead == 0xf4 && text[1] > 0x8f)) return 0;
  return n;
}

bool utf8_is_valid(const char *text, size_t n_bytes) {
  for (size_t k = 0; k < n_bytes;) {
    size_t n = utf8_length((const unsigned char *)text + k, n_bytes - k);
    if (n == 0) return false;
    k += n;
  }
  return true;
}
