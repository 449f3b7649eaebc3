#include "runtime/store/reused_rows.h"

#include <cstdint>
#include <cstring>

namespace couler::runtime {
namespace {

// A row: number, name, task, numbers of the steps before it, start, key. Numbers and lengths are
// seven bits a byte, lowest first, the top bit set in all but the last.
void putNumber(std::string& out, std::uint64_t number) {
  for (; number >= 0x80; number >>= 7) out.push_back(static_cast<char>(number | 0x80));
  out.push_back(static_cast<char>(number));
}

void putText(std::string& out, std::string_view text) {
  putNumber(out, text.size());
  out.append(text);
}

bool takeNumber(std::string_view& in, std::uint64_t& number) {
  number = 0;
  for (unsigned shift = 0; shift < 64 && !in.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(in.front());
    in.remove_prefix(1);
    number |= std::uint64_t{byte & 0x7fU} << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

bool takeText(std::string_view& in, std::string& text) {
  std::uint64_t size = 0;
  if (!takeNumber(in, size) || size > in.size()) return false;
  text = in.substr(0, size);
  in.remove_prefix(size);
  return true;
}

bool takeBytes(std::string_view& in, void* to, std::size_t size) {
  if (in.size() < size) return false;
  std::memcpy(to, in.data(), size);
  in.remove_prefix(size);
  return true;
}

}  // namespace

void ReusedRows::add(const StepRow& row) {
  putNumber(bytes_, static_cast<std::uint64_t>(row.seq));
  putText(bytes_, row.step);
  putText(bytes_, row.task);
  putText(bytes_, row.after);
  const auto micros = static_cast<std::uint64_t>(row.started > 0 ? row.started * 1e6 : 0);
  putNumber(bytes_, micros);
  bytes_.append(reinterpret_cast<const char*>(row.key->bytes.data()), row.key->bytes.size());
  ++count_;
}

void ReusedRows::clear() {
  bytes_.clear();
  count_ = 0;
}

bool ReusedReader::next(StepRow& row) {
  std::uint64_t seq = 0;
  std::uint64_t micros = 0;
  Digest key;
  if (!takeNumber(left_, seq) || !takeText(left_, row.step) || !takeText(left_, row.task) ||
      !takeText(left_, row.after) || !takeNumber(left_, micros) ||
      !takeBytes(left_, key.bytes.data(), key.bytes.size())) {
    left_ = {};
    return false;
  }
  row.seq = static_cast<std::int64_t>(seq);
  row.status = RowStatus::Reused;
  row.started = static_cast<double>(micros) * 1e-6;
  row.key = key;
  return true;
}

}  // namespace couler::runtime
