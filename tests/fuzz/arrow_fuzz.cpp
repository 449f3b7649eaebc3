// Any bytes as an Arrow file or stream: no crash; what reads and is written reads back the same.
#include <cstddef>
#include <cstdint>
#include <string>

#include "tests/fuzz/table_fuzz.h"

using namespace couler::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static TableFuzz table(
      "b:bool? i:int? f:float? s:string? t:timestamp? d:duration? z:size? e:enum?");
  table.run(std::string(data, data + size), "arrow");
  return 0;
}
