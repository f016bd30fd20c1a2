#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <limits>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/core/safetensors.hpp>

#include "byte_order.hpp"
#include "printable.hpp"

namespace xbar {
namespace {

using detail::printable;
using Json = nlohmann::json;

constexpr std::size_t length_size = 8;
constexpr const char* metadata_key = "__metadata__";

struct ElementType {
  const char* name;
  std::size_t size;
  float (*to_float)(const char* bytes);
};

template <typename T>
float number_to_float(const char* bytes) {
  return static_cast<float>(detail::load<T>(bytes, std::endian::little));
}

float half_to_float(const char* bytes) {
  const auto half = detail::load<std::uint16_t>(bytes, std::endian::little);
  const unsigned exponent = (half >> 10U) & 0x1fU;
  const unsigned fraction = half & 0x3ffU;
  const float sign = (half & 0x8000U) != 0 ? -1.0F : 1.0F;
  if (exponent == 0x1f) {
    return sign * (fraction == 0 ? std::numeric_limits<float>::infinity()
                                 : std::numeric_limits<float>::quiet_NaN());
  }
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(fraction), -24);
  return sign * std::ldexp(static_cast<float>(fraction + 0x400U), static_cast<int>(exponent) - 25);
}

float bfloat_to_float(const char* bytes) {
  const auto upper = detail::load<std::uint16_t>(bytes, std::endian::little);
  return std::bit_cast<float>(static_cast<std::uint32_t>(upper) << 16U);
}

constexpr std::array<ElementType, 12> element_types = {{
    {"F32", 4, number_to_float<float>},
    {"F64", 8, number_to_float<double>},
    {"F16", 2, half_to_float},
    {"BF16", 2, bfloat_to_float},
    {"I8", 1, number_to_float<std::int8_t>},
    {"I16", 2, number_to_float<std::int16_t>},
    {"I32", 4, number_to_float<std::int32_t>},
    {"I64", 8, number_to_float<std::int64_t>},
    {"U8", 1, number_to_float<std::uint8_t>},
    {"U16", 2, number_to_float<std::uint16_t>},
    {"U32", 4, number_to_float<std::uint32_t>},
    {"U64", 8, number_to_float<std::uint64_t>},
}};

/// What the header says of a tensor; its bytes are [begin, end) of the data.
struct Entry {
  std::string tensor;
  const ElementType* type;
  std::vector<std::uint64_t> shape;
  std::uint64_t begin;
  std::uint64_t end;
};

class Reader {
 public:
  Reader(std::string_view bytes, const std::string& name) : bytes_(bytes), name_(name) {}

  TensorFile read() {
    const Json header = parse_header();
    TensorFile file;
    std::vector<Entry> entries;
    for (const auto& [key, value] : header.items()) {
      if (key == metadata_key) {
        file.metadata = metadata(value);
      } else {
        entries.push_back(entry(key, value));
      }
    }
    check_tiling(entries);  // before any tensor is made: a small file cannot ask for much memory
    for (const Entry& item : entries) file.tensors[item.tensor] = tensor(item);
    return file;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw IoError(fmt::format("{}: {}", name_, what));
  }
  [[noreturn]] void fail_tensor(const std::string& tensor, const std::string& what) const {
    throw IoError(fmt::format("{}: tensor {}: {}", name_, printable(tensor), what));
  }

  Json parse_header() {
    if (bytes_.size() < length_size) {
      fail(fmt::format("expected a safetensors file of 8 bytes or more, got {}", bytes_.size()));
    }
    const auto length = detail::load<std::uint64_t>(bytes_.data(), std::endian::little);
    if (length > bytes_.size() - length_size) {
      fail(
          fmt::format("expected a safetensors header of {} bytes, got {}: truncated, or another "
                      "format",
                      length, bytes_.size() - length_size));
    }
    const std::string_view text = bytes_.substr(length_size, length);
    data_ = bytes_.substr(length_size + length);

    // Neither a deep nest nor a name that occurs twice is a valid header; the parser alone would
    // follow the one and forget one of the other.
    constexpr int deepest = 4;
    std::vector<std::set<std::string>> keys;
    const Json::parser_callback_t watch = [&](int depth, Json::parse_event_t event, Json& parsed) {
      if (depth > deepest) fail("malformed safetensors header: nested too deeply");
      if (event == Json::parse_event_t::object_start) keys.emplace_back();
      if (event == Json::parse_event_t::object_end) keys.pop_back();
      if (event == Json::parse_event_t::key &&
          !keys.back().insert(parsed.get_ref<const std::string&>()).second) {
        fail(fmt::format("malformed safetensors header: name {} occurs twice",
                         printable(parsed.get_ref<const std::string&>())));
      }
      return true;
    };
    try {
      Json header = Json::parse(text, watch);
      if (!header.is_object()) {
        fail(fmt::format("malformed safetensors header: expected an object, got {}",
                         header.type_name()));
      }
      return header;
    } catch (const Json::exception& error) {
      fail(fmt::format("malformed safetensors header: {}", printable_reason(error.what())));
    }
  }

  // The parser's message quotes the text that it found, which may be anything.
  static std::string printable_reason(const std::string& message) {
    std::string result;
    for (const char c : message.substr(0, 200)) result += c >= ' ' && c <= '~' ? c : '?';
    return result;
  }

  std::map<std::string, std::string> metadata(const Json& entry) const {
    if (!entry.is_object()) {
      fail(fmt::format("{}: expected an object of strings, got {}", metadata_key,
                       entry.type_name()));
    }
    std::map<std::string, std::string> result;
    for (const auto& [key, value] : entry.items()) {
      if (!value.is_string()) {
        fail(fmt::format("{}: {}: expected a string, got {}", metadata_key, printable(key),
                         value.type_name()));
      }
      result[key] = value.get<std::string>();
    }
    return result;
  }

  std::vector<std::uint64_t> whole_numbers(const std::string& tensor, const Json& entry,
                                           const char* key) const {
    const auto found = entry.find(key);
    if (found == entry.end()) fail_tensor(tensor, fmt::format("'{}' is missing", key));
    const auto whole = [](const Json& value) { return value.is_number_unsigned(); };
    if (!found->is_array() || !std::all_of(found->begin(), found->end(), whole)) {
      fail_tensor(tensor, fmt::format("'{}': expected a list of whole numbers >= 0", key));
    }
    return found->get<std::vector<std::uint64_t>>();
  }

  const ElementType& element_type(const std::string& tensor, const Json& entry) const {
    const auto found = entry.find("dtype");
    if (found == entry.end()) fail_tensor(tensor, "'dtype' is missing");
    const std::string text = found->is_string() ? found->get<std::string>() : found->type_name();
    for (const ElementType& type : element_types) {
      if (text == type.name) return type;
    }
    fail_tensor(tensor, fmt::format("expected dtype F32, F64, F16, BF16 or an integer, got {}",
                                    printable(text)));
  }

  Entry entry(const std::string& key, const Json& value) const {
    if (!value.is_object()) {
      fail_tensor(key, fmt::format("expected an object, got {}", value.type_name()));
    }
    const ElementType& type = element_type(key, value);
    const std::vector<std::uint64_t> shape = whole_numbers(key, value, "shape");
    const std::vector<std::uint64_t> offsets = whole_numbers(key, value, "data_offsets");
    if (offsets.size() != 2 || offsets[0] > offsets[1]) {
      fail_tensor(key,
                  fmt::format("'data_offsets': expected [begin, end] with begin <= end, got [{}]",
                              fmt::join(offsets, ", ")));
    }
    if (offsets[1] > data_.size()) {
      fail_tensor(key, fmt::format("its data end at byte {}, but the file has {} bytes of data",
                                   offsets[1], data_.size()));
    }
    check_size(key, type, shape, offsets[1] - offsets[0]);
    return {key, &type, shape, offsets[0], offsets[1]};
  }

  void check_size(const std::string& key, const ElementType& type,
                  const std::vector<std::uint64_t>& shape, std::uint64_t found) const {
    std::uint64_t expected = type.size;
    bool overflow = false;
    // A zero length makes the tensor empty whatever the others are; it must not hide an overflow.
    for (const std::uint64_t length : shape) {
      overflow = overflow ||
                 length > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) ||
                 __builtin_mul_overflow(expected, length, &expected);
    }
    if (overflow || expected != found) {
      fail_tensor(key, fmt::format("expected {} bytes for shape [{}] of {}, got {}",
                                   overflow ? "more than 2^63" : std::to_string(expected),
                                   fmt::join(shape, ", "), type.name, found));
    }
  }

  void check_tiling(std::vector<Entry>& entries) const {
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
      return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
    });
    std::uint64_t covered = 0;
    for (const Entry& item : entries) {
      if (item.begin != covered) {
        fail_tensor(item.tensor,
                    fmt::format("its data start at byte {}, expected {}: {}", item.begin, covered,
                                item.begin < covered ? "they overlap another tensor's"
                                                     : "a hole in the data"));
      }
      covered = item.end;
    }
    if (covered != data_.size()) {
      fail(fmt::format("expected {} bytes of tensor data, got {}", covered, data_.size()));
    }
  }

  NamedTensor tensor(const Entry& item) const {
    NamedTensor result;
    result.shape.assign(item.shape.begin(), item.shape.end());
    result.values.reserve((item.end - item.begin) / item.type->size);
    for (std::uint64_t at = item.begin; at < item.end; at += item.type->size) {
      result.values.push_back(to_float(item, data_.data() + at));
    }
    return result;
  }

  float to_float(const Entry& item, const char* bytes) const {
    if (item.type->to_float == number_to_float<double>) {
      const auto value = detail::load<double>(bytes, std::endian::little);
      if (std::isfinite(value) &&
          std::fabs(value) > static_cast<double>(std::numeric_limits<float>::max())) {
        fail_tensor(item.tensor, fmt::format("value {} does not fit single precision", value));
      }
    }
    return item.type->to_float(bytes);
  }

  std::string_view bytes_;
  std::string_view data_;
  const std::string& name_;
};

void check_writable(const std::string& key, const NamedTensor& tensor, const std::string& name) {
  const auto refuse = [&](const std::string& what) {
    throw InvalidArgument(fmt::format("{}: tensor {}: {}", name, printable(key), what));
  };
  if (key == metadata_key) refuse("the name is reserved");
  std::uint64_t count = 1;
  bool valid = true;
  for (const std::int64_t length : tensor.shape) {
    valid = valid && length >= 0 &&
            !__builtin_mul_overflow(count, static_cast<std::uint64_t>(length), &count);
  }
  if (!valid || count != tensor.values.size()) {
    refuse(fmt::format("shape [{}] does not fit {} values", fmt::join(tensor.shape, ", "),
                       tensor.values.size()));
  }
}

}  // namespace

TensorFile parse_safetensors(std::string_view bytes, const std::string& name) {
  return Reader(bytes, name).read();
}

TensorFile read_safetensors(const std::filesystem::path& path) {
  return parse_safetensors(read_file(path), path.string());
}

void write_safetensors(const std::filesystem::path& path, const TensorFile& file) {
  Json header = Json::object();
  if (!file.metadata.empty()) header[metadata_key] = file.metadata;
  std::uint64_t offset = 0;
  for (const auto& [key, tensor] : file.tensors) {
    check_writable(key, tensor, path.string());
    const std::uint64_t end = offset + tensor.values.size() * sizeof(float);
    header[key] = {{"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const Json::exception&) {
    throw InvalidArgument(
        fmt::format("{}: expected UTF-8 in tensor names and metadata", path.string()));
  }
  // Blanks bring the data to a multiple of 8 bytes, which readers that map the file rely on.
  text.append((length_size - text.size() % length_size) % length_size, ' ');

  std::string bytes;
  bytes.reserve(length_size + text.size() + offset);
  detail::append_little(bytes, static_cast<std::uint64_t>(text.size()));
  bytes += text;
  for (const auto& [key, tensor] : file.tensors) {
    for (const float value : tensor.values) detail::append_little(bytes, value);
  }
  write_file_atomically(path, bytes);
}

}  // namespace xbar
