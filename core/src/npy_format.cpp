#include "npy_format.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <set>

#include <fmt/format.h>

#include <xbar/core/error.hpp>

#include "byte_order.hpp"
#include "printable.hpp"

namespace xbar::detail {
namespace {

constexpr std::string_view magic = "\x93NUMPY";

/// The header is the text of a Python dictionary; this reads the part of the grammar that NumPy
/// writes: strings without escapes, True, False, tuples of whole numbers, bracketed lists.
class HeaderText {
 public:
  HeaderText(std::string_view text, const std::string& name) : text_(text), name_(name) {}

  NpyHeader parse() {
    NpyHeader header;
    std::set<std::string, std::less<>> seen;
    expect('{');
    while (!accept('}')) {
      const std::string key = string();
      if (!seen.insert(key).second) fail(fmt::format("key {} occurs twice", printable(key)));
      expect(':');
      if (key == "descr") {
        header.descr = peek() == '[' ? list() : string();
      } else if (key == "fortran_order") {
        header.fortran_order = boolean();
      } else if (key == "shape") {
        header.shape = tuple();
      } else {
        fail(fmt::format("key {} is not known", printable(key)));
      }
      if (accept('}')) break;
      expect(',');
    }
    for (const char* key : {"descr", "fortran_order", "shape"}) {
      if (!seen.contains(key)) fail(fmt::format("key '{}' is missing", key));
    }
    skip_blanks();
    if (at_ != text_.size()) fail("text after the closing brace");
    return header;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw IoError(fmt::format(
        "{}: malformed .npy header: {}; expected a dictionary of 'descr', 'fortran_order' and "
        "'shape', got {}",
        name_, what, printable(text_)));
  }

  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  char peek() {
    skip_blanks();
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool accept(char c) {
    if (peek() != c || at_ >= text_.size()) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) fail(fmt::format("'{}' expected at byte {}", c, at_));
  }
  bool accept_word(std::string_view word) {
    skip_blanks();
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }

  std::string string() {
    const char quote = peek();
    if (quote != '\'' && quote != '"') fail(fmt::format("a string expected at byte {}", at_));
    const std::size_t end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) fail("a string has no end");
    const std::string_view value = text_.substr(at_ + 1, end - at_ - 1);
    if (value.find('\\') != std::string_view::npos) fail("a string has an escape");
    at_ = end + 1;
    return std::string(value);
  }

  bool boolean() {
    if (accept_word("True")) return true;
    if (accept_word("False")) return false;
    fail("'fortran_order' is neither True nor False");
  }

  std::uint64_t number() {
    skip_blanks();
    std::uint64_t value = 0;
    const char* const begin = text_.data() + at_;
    const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
    if (error == std::errc::result_out_of_range) fail("a length does not fit 64 bits");
    if (error != std::errc()) fail(fmt::format("a length expected at byte {}", at_));
    at_ += static_cast<std::size_t>(end - begin);
    accept_word("L");  // Python 2 wrote long integers so
    return value;
  }

  std::vector<std::uint64_t> tuple() {
    std::vector<std::uint64_t> values;
    expect('(');
    while (!accept(')')) {
      values.push_back(number());
      if (accept(')')) break;
      expect(',');
    }
    return values;
  }

  // The text of a structured element type, which nothing here reads further.
  std::string list() {
    const std::size_t begin = at_;
    int depth = 0;
    for (; at_ < text_.size(); ++at_) {
      if (text_[at_] == '[') ++depth;
      if (text_[at_] == ']' && --depth == 0) {
        ++at_;
        return std::string(text_.substr(begin, at_ - begin));
      }
    }
    fail("a list has no end");
  }

  std::string_view text_;
  const std::string& name_;
  std::size_t at_ = 0;
};

template <typename T>
void convert(const char* data, std::endian order, bool fortran_order, Matrix& values) {
  const Index rows = values.rows();
  const Index columns = values.cols();
  const Index row_step = fortran_order ? 1 : columns;
  const Index column_step = fortran_order ? rows : 1;
  for (Index i = 0; i < rows; ++i) {
    for (Index j = 0; j < columns; ++j) {
      const Index at = i * row_step + j * column_step;
      values(i, j) =
          static_cast<double>(load<T>(data + static_cast<std::size_t>(at) * sizeof(T), order));
    }
  }
}

/// The element types that are read; `name` is the part of NumPy's that follows the byte order.
struct ElementType {
  std::string_view name;
  std::size_t size;
  void (*convert)(const char* data, std::endian order, bool fortran_order, Matrix& values);
};

constexpr std::array<ElementType, 10> element_types = {{
    {"f8", 8, convert<double>},
    {"f4", 4, convert<float>},
    {"i1", 1, convert<std::int8_t>},
    {"i2", 2, convert<std::int16_t>},
    {"i4", 4, convert<std::int32_t>},
    {"i8", 8, convert<std::int64_t>},
    {"u1", 1, convert<std::uint8_t>},
    {"u2", 2, convert<std::uint16_t>},
    {"u4", 4, convert<std::uint32_t>},
    {"u8", 8, convert<std::uint64_t>},
}};

/// @return the entry for "<f8" and its like; nullptr for what is not read.
const ElementType* element_type(std::string_view descr) {
  if (descr.empty()) return nullptr;
  for (const ElementType& type : element_types) {
    if (type.name != descr.substr(1)) continue;
    const bool ordered = descr[0] == '<' || descr[0] == '>';
    return ordered || (descr[0] == '|' && type.size == 1) ? &type : nullptr;
  }
  return nullptr;
}

std::string shape_text(const std::vector<std::uint64_t>& shape) {
  return shape.size() == 1 ? fmt::format("({},)", shape[0])
                           : fmt::format("({})", fmt::join(shape, ", "));
}

}  // namespace

bool is_npy(std::string_view bytes) { return bytes.starts_with(magic); }

NpyHeader read_npy_header(std::string_view bytes, const std::string& name) {
  if (!is_npy(bytes)) {
    throw IoError(fmt::format("{}: expected a .npy file (first bytes '\\x93NUMPY'), got {}", name,
                              bytes.empty() ? "an empty file" : printable(bytes.substr(0, 6))));
  }
  const auto truncated = [&](std::size_t expected) {
    return IoError(fmt::format("{}: truncated .npy header: expected {} bytes, got {}", name,
                               expected, bytes.size()));
  };
  constexpr std::size_t version_end = 8;
  if (bytes.size() < version_end) throw truncated(version_end);
  const int major = static_cast<unsigned char>(bytes[6]);
  if (major < 1 || major > 3) {
    throw IoError(fmt::format("{}: expected .npy format version 1, 2 or 3, got {}.{}", name, major,
                              static_cast<unsigned char>(bytes[7])));
  }
  const std::size_t begin = version_end + (major == 1 ? 2 : 4);
  if (bytes.size() < begin) throw truncated(begin);
  const std::size_t length =
      major == 1 ? load<std::uint16_t>(bytes.data() + version_end, std::endian::little)
                 : load<std::uint32_t>(bytes.data() + version_end, std::endian::little);
  if (length > bytes.size() - begin) throw truncated(begin + length);
  NpyHeader header = HeaderText(bytes.substr(begin, length), name).parse();
  header.data_offset = begin + length;
  return header;
}

std::string npy_obstacle(const NpyHeader& header) {
  if (element_type(header.descr) == nullptr) {
    return fmt::format("expected a numeric array (float64, float32, integer), got dtype {}",
                       printable(header.descr));
  }
  if (header.shape.empty() || header.shape.size() > 2) {
    return fmt::format("expected an array of one or two dimensions, got {}",
                       header.shape.empty() ? "a single number, shape ()"
                                            : fmt::format("{}, shape {}", header.shape.size(),
                                                          shape_text(header.shape).substr(0, 60)));
  }
  if (std::find(header.shape.begin(), header.shape.end(), 0U) != header.shape.end()) {
    return fmt::format("expected a non-empty array, got shape {}", shape_text(header.shape));
  }
  return "";
}

ArrayFile decode_npy(std::string_view bytes, const NpyHeader& header, const std::string& name) {
  if (const std::string obstacle = npy_obstacle(header); !obstacle.empty()) {
    throw IoError(fmt::format("{}: {}", name, obstacle));
  }
  const ElementType type = *element_type(header.descr);
  const std::uint64_t rows = header.shape[0];
  const std::uint64_t columns = header.shape.size() == 2 ? header.shape[1] : 1;
  const std::string_view data = bytes.substr(header.data_offset);
  // In this order no product can overflow: data.size() / size bounds the count first.
  const std::uint64_t available = data.size() / type.size;
  const bool fits = rows <= available && columns <= available / rows;
  if (!fits || rows * columns * type.size != data.size()) {
    std::uint64_t expected = 0;
    const bool overflow = __builtin_mul_overflow(rows, columns, &expected) ||
                          __builtin_mul_overflow(expected, type.size, &expected);
    throw IoError(fmt::format("{}: expected {} bytes of data for shape {} of dtype '{}', got {}",
                              name, overflow ? "more than 2^64" : std::to_string(expected),
                              shape_text(header.shape), header.descr, data.size()));
  }

  ArrayFile result;
  result.is_vector = header.shape.size() == 1;
  result.values.resize(static_cast<Index>(rows), static_cast<Index>(columns));
  const std::endian order = header.descr[0] == '>' ? std::endian::big : std::endian::little;
  type.convert(data.data(), order, header.fortran_order, result.values);
  return result;
}

std::string format_npy(const Matrix& values, bool as_vector) {
  const std::string shape = as_vector ? fmt::format("({},)", values.rows())
                                      : fmt::format("({}, {})", values.rows(), values.cols());
  std::string text =
      fmt::format("{{'descr': '<f8', 'fortran_order': False, 'shape': {}, }}", shape);
  // The data start at a multiple of 64 bytes; a newline ends the header.
  constexpr std::size_t before = 10;
  constexpr std::size_t alignment = 64;
  text.append(alignment - 1 - (before + text.size()) % alignment, ' ');
  text += '\n';

  std::string bytes(magic);
  bytes.append("\x01\x00", 2);
  append_little(bytes, static_cast<std::uint16_t>(text.size()));
  bytes += text;
  bytes.reserve(bytes.size() + static_cast<std::size_t>(values.size()) * sizeof(double));
  for (Index i = 0; i < values.size(); ++i) append_little(bytes, values.data()[i]);
  return bytes;
}

}  // namespace xbar::detail

namespace xbar {

ArrayFile parse_npy(std::string_view bytes, const std::string& name) {
  return detail::decode_npy(bytes, detail::read_npy_header(bytes, name), name);
}

}  // namespace xbar
