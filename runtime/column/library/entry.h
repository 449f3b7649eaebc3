#pragma once

#include "runtime/column/arrow_c_data.h"

/// What libcouler_arrow.so offers, by these names. All give a CoulerArrowStatus; where it is not
/// Ok,
/// `*error` is a text to be freed with couler_arrow_free.
extern "C" {

enum CoulerArrowStatus : int {
  CoulerArrowOk = 0,
  CoulerArrowFailed = 1,
  CoulerArrowNoColumn = 2  ///< the text is the column, then those of the file, one a line
};

/// Opens `fd`, which it takes over, in `format` ("arrow", "parquet") and gives the columns of
/// `schema` for which `wanted` is not 0, each cast to its type there where no value can change by
/// that. Record batches are of at most `batchRows` rows for parquet.
using CoulerArrowRead = int(int fd, const char* format, ArrowSchema* schema,
                            const unsigned char* wanted, long long batchRows, ArrowArrayStream* out,
                            char** error);
/// The schema of such a file, which the caller releases.
using CoulerArrowSchema = int(int fd, const char* format, ArrowSchema* out, char** error);
/// Begins a parquet file in `fd`, which it takes over.
using CoulerArrowCreate = int(int fd, ArrowSchema* schema, void** writer, char** error);
using CoulerArrowWrite = int(void* writer, ArrowArray* rows, char** error);
/// Ends the file and frees the writer, whatever the status.
using CoulerArrowFinish = int(void* writer, char** error);
using CoulerArrowFree = void(char* text);

}  // extern "C"
