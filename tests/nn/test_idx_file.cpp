#include <cstdint>
#include <string>
#include <vector>

#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/nn/data/idx_file.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"
#include "support/message.hpp"
#include "support/temporary_folder.hpp"

using xbar::Index;
using xbar::IoError;
using xbar::nn::parse_idx;
using xbar_test::contains;
using xbar_test::from_hex;
using xbar_test::message_of;

namespace {

// Unsigned bytes, two axes, 2 x 3.
const std::string plain = from_hex("00000802 00000002 00000003 01020304 05ff");

// The same, packed by Python's gzip.
const std::string packed =
    from_hex("1f8b0800000000000203 6360e06062606000616646266616d6ff00 f0de5f21 12000000");

std::string refusal(const std::string& bytes) {
  return message_of<IoError>([&] { return parse_idx(bytes, "train"); });
}

void check_content(const xbar::nn::IdxArray& array) {
  CHECK(array.shape == std::vector<Index>{2, 3});
  CHECK(array.values == std::vector<std::uint8_t>{1, 2, 3, 4, 5, 255});
}

}  // namespace

TEST_CASE("nn/idx_file: plain and gzip bytes give the same array") {
  check_content(parse_idx(plain, "train"));
  check_content(parse_idx(packed, "train"));
}

TEST_CASE("nn/idx_file: a gzip file of several parts is read through") {
  // gzip's empty file, before and after: what `cat a.gz b.gz` makes.
  const std::string empty = from_hex("1f8b0800000000000203 0300 00000000 00000000");
  check_content(parse_idx(empty + packed + empty, "train"));
}

TEST_CASE("nn/idx_file: files") {
  const xbar_test::TemporaryFolder folder;
  xbar::write_file_atomically(folder / "a.gz", packed);
  check_content(xbar::nn::read_idx(folder / "a.gz"));
  CHECK(contains(message_of<IoError>([&] { return xbar::nn::read_idx(folder / "absent"); }),
                 "absent: cannot read the file: No such file or directory"));
}

TEST_CASE("nn/idx_file: an array larger than the reader's first step") {
  // 2 x 1,200,000 bytes; the reader starts with 2^20 and doubles.
  std::string bytes = from_hex("00000802 00000002 00124f80");
  for (int i = 0; i < 2400000; ++i) bytes += static_cast<char>(i % 251);
  const auto array = parse_idx(bytes, "train");
  REQUIRE(array.values.size() == 2400000);
  CHECK(array.values[2399999] == 2399999 % 251);
  CHECK(array.values[1 << 20] == (1 << 20) % 251);
  CHECK(contains(refusal(bytes.substr(0, 2000000)),
                 "train: truncated: expected 2400000 bytes of data for shape 2 x 1200000, got "
                 "1999988"));
}

TEST_CASE("nn/idx_file: a truncated file is refused wherever it is cut") {
  for (const std::string& bytes : {plain, packed}) {
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      CAPTURE(bytes.size(), size);
      CHECK_THROWS_AS(parse_idx(bytes.substr(0, size), "train"), IoError);
    }
  }
  CHECK(contains(refusal(plain.substr(0, 15)),
                 "train: truncated: expected 6 bytes of data for shape 2 x 3, got 3"));
  CHECK(contains(refusal(packed.substr(0, 20)), "train: the gzip data are cut short"));
}

TEST_CASE("nn/idx_file: bytes after the data are refused") {
  CHECK(contains(refusal(plain + "x"), "expected 6 bytes of data for shape 2 x 3, got more"));
  CHECK(contains(refusal(packed + "x"), "1 bytes of something else after the gzip data"));
}

TEST_CASE("nn/idx_file: damaged gzip data are refused") {
  std::string bytes = packed;
  bytes[packed.size() - 8] ^= 1;  // the checksum
  CHECK(contains(refusal(bytes), "train: the gzip data are damaged: incorrect data check"));
  bytes = packed;
  bytes[2] = 7;  // the method: only 8 exists
  CHECK(contains(refusal(bytes), "train: the gzip data are damaged"));
}

TEST_CASE("nn/idx_file: other headers are refused by what they say") {
  CHECK(
      contains(refusal("P5 28 28"), "expected an IDX file (two zero bytes first), got 0x50 0x35"));
  CHECK(contains(refusal(from_hex("00000d01 00000001 00000000")),
                 "expected IDX element type 0x08 (unsigned byte), got 0x0d"));
  CHECK(contains(refusal(from_hex("00000800")), "an IDX array of 1 to 4 axes, got 0"));
  CHECK(contains(refusal(from_hex("00000805")), "an IDX array of 1 to 4 axes, got 5"));
  CHECK(contains(refusal(from_hex("00000802 00000001 00000000")), "axis 1 has length 0"));
}

TEST_CASE("nn/idx_file: a header that claims too much costs no memory") {
  // 2^32 - 1 cubed overflows 64 bits; 2^31 squared does not and would be 4 EB.
  CHECK(contains(refusal(from_hex("00000803 ffffffff ffffffff ffffffff")), "impossibly large"));
  CHECK(contains(refusal(from_hex("00000802 80000000 80000000 01")),
                 "expected 4611686018427387904 bytes of data"));
}
