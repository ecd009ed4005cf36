/* status.h -- what a call that can fail returns.  No function below bind/ raises, prints or exits. */
#ifndef PERILUNE_STATUS_H
#define PERILUNE_STATUS_H

typedef enum status {
  STATUS_OK = 0,
  STATUS_NO_MEMORY,   /* an allocation failed, or the memory cap would be passed */
  STATUS_INVALID,     /* the caller's arguments do not fit: shapes, dtypes, ranges, options */
  STATUS_FORMAT,      /* a file's bytes are not what they should be */
  STATUS_IO           /* the system refused: open, read, write, rename */
} status;

#endif
