// Any bytes as CSV and as JSON Lines: no crash; what reads and is written reads back the same.
#include <cstddef>
#include <cstdint>
#include <string>

#include "tests/fuzz/table_fuzz.h"

using namespace couler::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  static TableFuzz table("a:int? b:float? c:string? d:timestamp? e:bool? f:enum? g:duration?");
  for (const char* format : {"csv", "jsonl"}) {
    // Under its own header, so that most inputs come as far as the cells.
    table.run(text, format);
    if (format[0] == 'c') table.run("a,b,c,d,e,f,g\n" + text, format);
  }
  return 0;
}
