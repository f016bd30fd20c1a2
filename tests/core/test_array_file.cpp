#include <cmath>
#include <filesystem>
#include <limits>
#include <string>

#include <xbar/core/array_file.hpp>
#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"
#include "support/message.hpp"
#include "support/temporary_folder.hpp"

using namespace std::string_literals;
using xbar::IoError;
using xbar::Matrix;
using xbar_test::contains;
using xbar_test::from_hex;
using xbar_test::little;
using xbar_test::message_of;

namespace {

/// A .npy put together by hand: nothing here comes from the writer under test.
std::string npy(const std::string& header, const std::string& data, int version = 1) {
  return "\x93NUMPY"s + static_cast<char>(version) + '\0' +
         little(header.size(), version == 1 ? 2 : 4) + header + data;
}

std::string header(const std::string& descr, const std::string& shape,
                   const std::string& fortran_order = "False") {
  return "{'descr': '" + descr + "', 'fortran_order': " + fortran_order + ", 'shape': " + shape +
         ", }\n";
}

std::string refusal(const std::string& bytes) {
  return message_of<IoError>([&] { return xbar::parse_npy(bytes, "G.npy"); });
}

std::string csv_refusal(const std::string& text) {
  return message_of<IoError>([&] { return xbar::parse_csv(text, "G.csv"); });
}

// What numpy.save wrote for [[1, -2.5], [0.1, 4]], float64.
const std::string numpy_float64 =
    "\x93NUMPY\x01\x00v\x00{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2), }             "
    "    "
    "                                         \n"s +
    from_hex("000000000000f03f 00000000000004c0 9a9999999999b93f 0000000000001040");

// numpy.savez(G=[[1., 2.]], V=float32([3])): stored, with zip64 sizes in the local headers.
const std::string numpy_npz = from_hex(
    "504b03042d000000000000002100a11bde80ffffffffffffffff05001400472e6e70790100100090000000000000"
    "009000000000000000934e554d5059010076007b276465736372273a20273c6638272c2027666f727472616e5f6f"
    "72646572273a2046616c73652c20277368617065273a2028312c2032292c207d2020202020202020202020202020"
    "20202020202020202020202020202020202020202020202020202020202020202020202020202020202020200a00"
    "0000000000f03f0000000000000040504b03042d000000000000002100b28d1778ffffffffffffffff0500140056"
    "2e6e70790100100084000000000000008400000000000000934e554d5059010076007b276465736372273a20273c"
    "6634272c2027666f727472616e5f6f72646572273a2046616c73652c20277368617065273a2028312c292c207d20"
    "20202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020"
    "202020202020202020202020200a00004040504b01022d032d000000000000002100a11bde809000000090000000"
    "050000000000000000000000800100000000472e6e7079504b01022d032d000000000000002100b28d1778840000"
    "00840000000500000000000000000000008001c7000000562e6e7079504b05060000000002000200660000008201"
    "00000000");

// numpy.savez_compressed(G=[[1., 2.]], s=['x']): deflated, the second member a string.
const std::string numpy_npz_compressed = from_hex(
    "504b03042d000000080000002100a11bde80ffffffffffffffff05001400472e6e70790100100090000000000000"
    "004e000000000000009bec17ea1b10c9c850c650ad9e925a9c5ca46ea5a06e9366a1aea3a09e965f54529498179f"
    "5f94920a12774bcc294e058a17672416a402f91a863a0a469a3a0ab50a64032e0630f8600fa1191c00504b03042d"
    "0000000800000021003fbc391bffffffffffffffff05001400732e6e707901001000840000000000000048000000"
    "000000009bec17ea1b10c9c850c650ad9e925a9c5ca46ea5a06e136aa8aea3a09e965f54529498179f5f94920a12"
    "774bcc294e058a17672416a402f91a863a9a3a0ab50a1400ae0a06060600504b01022d032d000000080000002100"
    "a11bde804e00000090000000050000000000000000000000800100000000472e6e7079504b01022d032d00000008"
    "00000021003fbc391b4800000084000000050000000000000000000000800185000000732e6e7079504b05060000"
    "00000200020066000000040100000000");

}  // namespace

TEST_CASE("core/array_file: a float64 .npy that NumPy wrote") {
  REQUIRE(numpy_float64.size() == 160);  // as NumPy's file: 128 bytes of header, 32 of data
  const auto file = xbar::parse_npy(numpy_float64, "G.npy");
  CHECK_FALSE(file.is_vector);
  REQUIRE(file.values.rows() == 2);
  REQUIRE(file.values.cols() == 2);
  CHECK(file.values(0, 0) == 1.0);
  CHECK(file.values(0, 1) == -2.5);
  CHECK(file.values(1, 0) == 0.1);
  CHECK(file.values(1, 1) == 4.0);
}

TEST_CASE("core/array_file: Fortran order is a matter of storage only") {
  // numpy.asfortranarray([[1, 2, 3], [4, 5, 6]]), float32: stored column by column.
  const auto file =
      xbar::parse_npy(npy(header("<f4", "(2, 3)", "True"),
                          from_hex("0000803f 00008040 00000040 0000a040 00004040 0000c040")),
                      "G.npy");
  Matrix expected(2, 3);
  expected << 1, 2, 3, 4, 5, 6;
  CHECK(file.values == expected);
}

TEST_CASE("core/array_file: every element type and byte order") {
  struct Case {
    std::string descr;
    std::string hex;  // the array (1, -2) or, unsigned, (1, 254)
    double second;
  };
  const Case cases[] = {
      {"<f8", "000000000000f03f 00000000000000c0", -2},
      {">f8", "3ff0000000000000 c000000000000000", -2},
      {"<f4", "0000803f 000000c0", -2},
      {">f4", "3f800000 c0000000", -2},
      {"|i1", "01 fe", -2},
      {"<i1", "01 fe", -2},
      {"<i2", "0100 feff", -2},
      {">i2", "0001 fffe", -2},
      {"<i4", "01000000 feffffff", -2},
      {">i4", "00000001 fffffffe", -2},
      {"<i8", "0100000000000000 feffffffffffffff", -2},
      {">i8", "0000000000000001 fffffffffffffffe", -2},
      {"|u1", "01 fe", 254},
      {"<u2", "0100 fe00", 254},
      {">u2", "0001 00fe", 254},
      {"<u4", "01000000 fe000000", 254},
      {">u4", "00000001 000000fe", 254},
      {"<u8", "0100000000000000 fe00000000000000", 254},
      {">u8", "0000000000000001 00000000000000fe", 254},
  };
  for (const Case& c : cases) {
    CAPTURE(c.descr);
    const auto file = xbar::parse_npy(npy(header(c.descr, "(2,)"), from_hex(c.hex)), "V.npy");
    CHECK(file.is_vector);
    REQUIRE(file.values.rows() == 2);
    REQUIRE(file.values.cols() == 1);
    CHECK(file.values(0, 0) == 1.0);
    CHECK(file.values(1, 0) == c.second);
  }
}

TEST_CASE("core/array_file: format versions 2 and 3 and odd but valid headers") {
  const std::string seven = from_hex("0000000000001c40");
  for (const int version : {1, 2, 3}) {
    CAPTURE(version);
    CHECK(xbar::parse_npy(npy(header("<f8", "(1,)"), seven, version), "V.npy").values(0, 0) == 7);
  }
  // Other order of the keys, double quotes, no comma at the end, Python 2's long integers.
  CHECK(xbar::parse_npy(npy("{\"shape\":(1L,1L),\"fortran_order\":False,\"descr\":\"<f8\"}", seven),
                        "V.npy")
            .values(0, 0) == 7);
}

TEST_CASE("core/array_file: NaN and infinity are values; judging them is the caller's part") {
  const auto file = xbar::parse_npy(
      npy(header("<f8", "(2,)"), from_hex("000000000000f87f 000000000000f07f")), "V.npy");
  CHECK(std::isnan(file.values(0, 0)));
  CHECK(file.values(1, 0) == std::numeric_limits<double>::infinity());
}

TEST_CASE("core/array_file: other element types are refused by name") {
  CHECK(refusal(npy(header("<U5", "(1,)"), std::string(20, 'x'))) ==
        "G.npy: expected a numeric array (float64, float32, integer), got dtype '<U5'");
  for (const std::string descr : {"|O", "<c16", "|b1", "<f2", "<f16", "|S4", "<M8[s]", "=f8", "|f8",
                                  "f8", "<i3", "", "<f8x"}) {
    CAPTURE(descr);
    CHECK(contains(refusal(npy(header(descr, "(1,)"), std::string(16, 'x'))),
                   "float32, integer), got dtype '" + descr + "'"));
  }
  CHECK(contains(refusal(npy("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,), }",
                             std::string(8, 'x'))),
                 "got dtype '[('a', '<f8')]'"));
}

TEST_CASE("core/array_file: a truncated .npy is refused and names both sizes") {
  const std::string bytes = numpy_float64;
  // Cut anywhere: in the magic, the header, the data. Only the whole is a file.
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CAPTURE(size);
    CHECK_THROWS_AS(xbar::parse_npy(bytes.substr(0, size), "G.npy"), IoError);
  }
  CHECK(refusal(bytes.substr(0, 140)) ==
        "G.npy: expected 32 bytes of data for shape (2, 2) of dtype '<f8', got 12");
  CHECK(refusal(bytes.substr(0, 100)) ==
        "G.npy: truncated .npy header: expected 128 bytes, got 100");
  CHECK(
      contains(refusal(""), "expected a .npy file (first bytes '\\x93NUMPY'), got an empty file"));
}

TEST_CASE("core/array_file: bytes after the data are refused") {
  CHECK(contains(refusal(numpy_float64 + "x"), "expected 32 bytes of data"));
}

TEST_CASE("core/array_file: lengths that overflow are refused before any memory is asked for") {
  const std::string data(8, '\0');
  // 2^63 * 2, 2^62 * 8 bytes and 2^61 rows: each wraps around to a small number in 64 bits.
  for (const std::string shape :
       {"(9223372036854775808, 2)", "(4611686018427387904,)", "(2305843009213693952, 8)",
        "(18446744073709551615, 18446744073709551615)"}) {
    CAPTURE(shape);
    CHECK(contains(refusal(npy(header("<f8", shape), data)), "more than 2^64 bytes"));
  }
  CHECK(contains(refusal(npy(header("<f8", "(1000000000000,)"), data)),
                 "expected 8000000000000 bytes of data for shape (1000000000000,)"));
  CHECK(contains(refusal(npy(header("<f8", "(18446744073709551616,)"), data)),
                 "does not fit 64 bits"));
}

TEST_CASE("core/array_file: empty, scalar and three-dimensional arrays are refused") {
  CHECK(contains(refusal(npy(header("<f8", "(0, 3)"), "")),
                 "expected a non-empty array, got shape (0, 3)"));
  CHECK(contains(refusal(npy(header("<f8", "(0,)"), "")), "got shape (0,)"));
  CHECK(contains(refusal(npy(header("<f8", "()"), std::string(8, 'x'))), "got a single number"));
  CHECK(contains(refusal(npy(header("<f8", "(1, 1, 1)"), std::string(8, 'x'))),
                 "expected an array of one or two dimensions, got 3, shape (1, 1, 1)"));
}

TEST_CASE("core/array_file: malformed .npy headers are refused") {
  const std::string data(8, '\0');
  for (const std::string& text : {
           ""s,
           "{"s,
           "}"s,
           "[]"s,
           "{'descr': '<f8', 'fortran_order': False}"s,
           "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), 'x': 1}"s,
           "{'descr': '<f8', 'descr': '<f8', 'fortran_order': False, 'shape': (1,)}"s,
           "{'descr': '<f8', 'fortran_order': 1, 'shape': (1,)}"s,
           "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}"s,
           "{'descr': '<f8', 'fortran_order': False, 'shape': (1 1)}"s,
           "{'descr': '<f8', 'fortran_order': False, 'shape': (1,)} x"s,
           "{'descr': '<f8', 'fortran_order': False, 'shape': (1,"s,
           "{'descr': '<f8"s,
           "{'descr': [[[], 'fortran_order': False, 'shape': (1,)}"s,
           "{'descr': '\\x3cf8', 'fortran_order': False, 'shape': (1,)}"s,
           "{\0'descr': '<f8', 'fortran_order': False, 'shape': (1,)}"s,
       }) {
    CAPTURE(text);
    CHECK(contains(refusal(npy(text, data)), "malformed .npy header"));
  }
  CHECK(contains(refusal(npy(header("<f8", "(1,)"), data, 4)), "version 1, 2 or 3, got 4.0"));
  CHECK(contains(refusal("PK\x03\x04 and so on"), "got 'PK\\x03\\x04 a'"));
}

TEST_CASE("core/array_file: .npy round trip keeps every bit") {
  const xbar_test::TemporaryFolder folder;
  Matrix values(2, 3);
  values << 1.0 / 3, -0.0, 5e-324, std::numeric_limits<double>::max(), 1e-17,
      std::numeric_limits<double>::infinity();
  xbar::write_array(folder / "G.npy", values);
  const auto file = xbar::read_array(folder / "G.npy");
  CHECK_FALSE(file.is_vector);
  CHECK(file.values == values);
  CHECK(std::signbit(file.values(0, 1)));

  const Matrix column = values.col(0);
  xbar::write_array(folder / "V.npy", column, true);
  CHECK(xbar::read_array(folder / "V.npy").is_vector);
  CHECK(xbar::read_array(folder / "V.npy").values == column);
  CHECK(folder.entries() == 2);  // and no temporary file
}

TEST_CASE("core/array_file: the written .npy is byte for byte NumPy's") {
  const xbar_test::TemporaryFolder folder;
  Matrix values(2, 2);
  values << 1, -2.5, 0.1, 4;
  xbar::write_array(folder / "G.npy", values);
  CHECK(xbar::read_file(folder / "G.npy") == numpy_float64);
  xbar::write_array(folder / "V.npy", values.col(0), true);
  CHECK(contains(xbar::read_file(folder / "V.npy"), "'shape': (2,), }"));
}

TEST_CASE("core/array_file: what cannot be written is refused before the file is touched") {
  const xbar_test::TemporaryFolder folder;
  using xbar::InvalidArgument;
  CHECK_THROWS_AS(xbar::write_array(folder / "G.npy", Matrix(0, 3)), InvalidArgument);
  CHECK_THROWS_AS(xbar::write_array(folder / "G.npy", Matrix::Ones(2, 2), true), InvalidArgument);
  CHECK_THROWS_AS(xbar::write_npz(folder / "G.npz", {}), InvalidArgument);
  CHECK_THROWS_AS(xbar::write_npz(folder / "G.npz", {{"", Matrix::Ones(1, 1)}}), InvalidArgument);
  CHECK_THROWS_AS(xbar::write_npz(folder / "G.npz", {{"G", Matrix(3, 0)}}), InvalidArgument);
  CHECK(folder.entries() == 0);
}

TEST_CASE("core/array_file: files are told by content and extension") {
  const xbar_test::TemporaryFolder folder;
  CHECK(contains(message_of<IoError>([&] { return xbar::read_array(folder / "absent.npy"); }),
                 "absent.npy: cannot read the file: No such file or directory"));
  xbar::write_file_atomically(folder / "a.txt", "1,2\n");
  CHECK(contains(message_of<IoError>([&] { return xbar::read_array(folder / "a.txt"); }),
                 "expected an array file, .npy or .csv, got extension '.txt'"));
  xbar::write_file_atomically(folder / "a.CSV", "1,2\n");
  CHECK(xbar::read_array(folder / "a.CSV").values.cols() == 2);
  xbar::write_file_atomically(folder / "no-extension", numpy_float64);
  CHECK(xbar::read_array(folder / "no-extension").values(1, 1) == 4.0);
}

TEST_CASE("core/array_file: .csv with each separator, comments and blank lines") {
  Matrix expected(2, 3);
  expected << 1, -2.5, 3e-6, 4, 5, 6;
  for (const std::string& text : {
           "1,-2.5,3e-6\n4,5,6\n"s,
           "1;-2.5;3e-6\n4;5;6"s,
           "1 -2.5\t3e-6\r\n 4   5\t 6 \r\n"s,
           "# siemens\n\n1, -2.5, +3e-6  # first row\n   \n4 ,5,6\n#end"s,
           "\xef\xbb\xbf"s + "1,-2.5,3e-6\n4,5,6\n",
           "# a; comment, with separators\n1 -2.5 3e-6\n4 5 6\n"s,
       }) {
    CAPTURE(text);
    const auto file = xbar::parse_csv(text, "G.csv");
    CHECK(file.values == expected);
    CHECK_FALSE(file.is_vector);
  }
}

TEST_CASE("core/array_file: a .csv of one column is a vector, of one row a matrix") {
  CHECK(xbar::parse_csv("1\n2\n3\n", "V.csv").is_vector);
  CHECK(xbar::parse_csv("1\n2\n3\n", "V.csv").values.rows() == 3);
  CHECK_FALSE(xbar::parse_csv("1,2,3\n", "V.csv").is_vector);
}

TEST_CASE("core/array_file: .csv reads NaN and infinity") {
  const auto file = xbar::parse_csv("nan,inf,-inf\n", "G.csv");
  CHECK(std::isnan(file.values(0, 0)));
  CHECK(file.values(0, 1) == std::numeric_limits<double>::infinity());
  CHECK(file.values(0, 2) == -std::numeric_limits<double>::infinity());
}

TEST_CASE("core/array_file: a malformed .csv is refused with its line and column") {
  CHECK(csv_refusal("") == "G.csv: expected rows of numbers, got none");
  CHECK(csv_refusal("# only a comment\n\n") == "G.csv: expected rows of numbers, got none");
  CHECK(csv_refusal("1,2,3\n4,5\n") == "G.csv: line 2: expected 3 numbers as in line 1, got 2");
  CHECK(csv_refusal("\n1,2\n3,x\n") == "G.csv: line 3: column 2: expected a number, got 'x'");
  CHECK(csv_refusal("1,,2\n") ==
        "G.csv: line 1: column 2: expected a number, got nothing (a heading must start with '#')");
  CHECK(contains(csv_refusal("ohm,volt\n1,2\n"), "a heading must start with '#'"));
  CHECK(contains(csv_refusal("1,2,\n"), "column 3: expected a number, got nothing"));
  // A decimal comma is not taken for a separator, nor half of a number for all of it.
  CHECK(contains(csv_refusal("1,5;2,5\n"), "expected a number, got '1,5'"));
  CHECK(contains(csv_refusal("0x10\n"), "expected a number, got '0x10'"));
  CHECK(contains(csv_refusal("1e5e\n"), "expected a number, got '1e5e'"));
  CHECK(contains(csv_refusal("+-1\n"), "expected a number, got '+-1'"));
  CHECK(contains(csv_refusal("+\n"), "expected a number, got '+'"));
  CHECK(contains(csv_refusal("1e999\n"), "'1e999' is outside the range of float64"));
  CHECK(contains(csv_refusal("1\0 2\n"s), "expected a number, got '1\\x00'"));
  CHECK(contains(csv_refusal(std::string(1000, 'a')), "got '" + std::string(40, 'a') + "...'"));
}

TEST_CASE("core/array_file: .csv round trip keeps every bit") {
  const xbar_test::TemporaryFolder folder;
  Matrix values(2, 2);
  values << 0.1, 1.0 / 3, -1.7976931348623157e308, 2.2250738585072014e-308;
  xbar::write_array(folder / "G.csv", values);
  CHECK(xbar::read_file(folder / "G.csv").substr(0, 39) ==
        "0.10000000000000001,0.33333333333333331");
  CHECK(xbar::read_array(folder / "G.csv").values == values);
}

TEST_CASE("core/array_file: .npz files that NumPy wrote") {
  const auto arrays = xbar::parse_npz(numpy_npz, "a.npz");
  REQUIRE(arrays.size() == 2);
  CHECK(arrays.at("G").values(0, 1) == 2.0);
  CHECK_FALSE(arrays.at("G").is_vector);
  CHECK(arrays.at("V").values(0, 0) == 3.0);
  CHECK(arrays.at("V").is_vector);

  const auto numeric = xbar::parse_npz(numpy_npz_compressed, "b.npz");
  REQUIRE(numeric.size() == 1);  // the string array is left out
  CHECK(numeric.at("G").values(0, 0) == 1.0);
}

TEST_CASE("core/array_file: .npz round trip, equal bytes each time") {
  const xbar_test::TemporaryFolder folder;
  Matrix a(2, 2);
  a << 1, 2, 3, 4;
  const Matrix b = Matrix::Constant(300, 7, 0.1);
  xbar::write_npz(folder / "x.npz", {{"wordline", a},
                                     {"gr\xc3\xb6\xc3\x9f"
                                      "e",
                                      b}});
  const auto arrays = xbar::read_npz(folder / "x.npz");
  REQUIRE(arrays.size() == 2);
  CHECK(arrays.at("wordline").values == a);
  CHECK(arrays
            .at("gr\xc3\xb6\xc3\x9f"
                "e")
            .values == b);
  xbar::write_npz(folder / "y.npz", {{"wordline", a},
                                     {"gr\xc3\xb6\xc3\x9f"
                                      "e",
                                      b}});
  const std::string bytes = xbar::read_file(folder / "x.npz");
  CHECK(bytes == xbar::read_file(folder / "y.npz"));
  // Time and date of the first local header: midnight, 1980-01-01, not the time of day.
  CHECK(bytes.substr(10, 4) == from_hex("0000 2100"));
}

TEST_CASE("core/array_file: a damaged .npz is refused") {
  const auto npz_refusal = [](const std::string& bytes) {
    return message_of<IoError>([&] { return xbar::parse_npz(bytes, "a.npz"); });
  };
  CHECK(
      contains(npz_refusal(""), "a.npz: expected an .npz file (a zip archive), got an empty file"));
  CHECK(contains(npz_refusal(numpy_float64), "expected an .npz file"));
  for (const std::size_t size : {10U, 200U, 400U, 500U}) {
    CAPTURE(size);
    CHECK_THROWS_AS(xbar::parse_npz(numpy_npz.substr(0, size), "a.npz"), IoError);
  }
  // One bit of the array's data: the archive's checksum notices.
  std::string flipped = numpy_npz;
  flipped[flipped.find("\xf0\x3f")] ^= 1;
  CHECK(contains(npz_refusal(flipped), "a.npz: member 'G.npy': cannot be unpacked: CRC error"));
  // A directory entry that claims 4 GB from 144 bytes.
  std::string bomb = numpy_npz;
  const std::size_t entry = bomb.find("PK\x01\x02");
  bomb.replace(entry + 24, 4, "\xfe\xff\xff\xff");
  CHECK(contains(npz_refusal(bomb), "4294967294 bytes packed as 144 are impossible"));
}
