#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/core/safetensors.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"
#include "support/message.hpp"
#include "support/temporary_folder.hpp"

using xbar::IoError;
using xbar::NamedTensor;
using xbar::TensorFile;
using xbar_test::contains;
using xbar_test::from_hex;
using xbar_test::little;
using xbar_test::message_of;

namespace {

/// A file put together by hand: nothing here comes from the writer under test.
std::string file_of(const std::string& header, const std::string& data) {
  return little(header.size(), 8) + header + data;
}

std::string one(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return R"({"w":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets +
         "}}";
}

TensorFile parse(const std::string& bytes) { return xbar::parse_safetensors(bytes, "w.st"); }

std::string refusal(const std::string& bytes) {
  return message_of<IoError>([&] { return parse(bytes); });
}

}  // namespace

TEST_CASE("core/safetensors: tensors, shapes and metadata") {
  const auto file =
      parse(file_of(R"({"__metadata__":{"architecture":"mlp"},)"
                    R"("fc1.weight":{"dtype":"F32","shape":[1,2],"data_offsets":[4,12]},)"
                    R"("scale":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}   )",
                    from_hex("0000003f 0000803f 000000c0")));
  CHECK(file.metadata == std::map<std::string, std::string>{{"architecture", "mlp"}});
  REQUIRE(file.tensors.size() == 2);
  CHECK(file.tensors.at("scale").shape.empty());
  CHECK(file.tensors.at("scale").values == std::vector<float>{0.5F});
  CHECK(file.tensors.at("fc1.weight").shape == std::vector<std::int64_t>{1, 2});
  CHECK(file.tensors.at("fc1.weight").values == std::vector<float>{1.0F, -2.0F});
}

TEST_CASE("core/safetensors: every element type that is read") {
  struct Case {
    std::string dtype;
    std::string hex;  // two elements
    std::vector<float> expected;
  };
  const Case cases[] = {
      {"F64", "000000000000e03f 000000000000f0bf", {0.5F, -1.0F}},
      {"F32", "0000003f 000080bf", {0.5F, -1.0F}},
      {"F16", "0038 00bc", {0.5F, -1.0F}},
      {"F16", "ff7b 0100", {65504.0F, 0x1p-24F}},         // the largest and the smallest
      {"F16", "ff03 0004", {1023 * 0x1p-24F, 0x1p-14F}},  // either side of the denormal border
      {"F16", "5535 0080", {0x1.554p-2F, -0.0F}},         // a third, rounded
      {"BF16", "003f 80bf", {0.5F, -1.0F}},
      {"BF16", "7f7f ab3e", {0x1.fep127F, 0x1.56p-2F}},
      {"I8", "7f 80", {127, -128}},
      {"I16", "ff7f 0080", {32767, -32768}},
      {"I32", "00000001 ffffffff", {16777216, -1}},
      {"I64", "0500000000000000 ffffffffffffffff", {5, -1}},
      {"U8", "00 ff", {0, 255}},
      {"U16", "0100 ffff", {1, 65535}},
      {"U32", "01000000 00000080", {1, 0x1p31F}},
      {"U64", "0100000000000000 0000000000000080", {1, 0x1p63F}},
  };
  for (const Case& c : cases) {
    CAPTURE(c.dtype, c.hex);
    const std::string data = from_hex(c.hex);
    const auto file =
        parse(file_of(one(c.dtype, "[2]", "[0," + std::to_string(data.size()) + "]"), data));
    CHECK(file.tensors.at("w").values == c.expected);
  }
  const auto special = parse(file_of(one("F16", "[3]", "[0,6]"), from_hex("007c 00fc 007e")));
  CHECK(special.tensors.at("w").values[0] == std::numeric_limits<float>::infinity());
  CHECK(special.tensors.at("w").values[1] == -std::numeric_limits<float>::infinity());
  CHECK(std::isnan(special.tensors.at("w").values[2]));
}

TEST_CASE("core/safetensors: a float64 value beyond float32 is refused, infinity is not") {
  CHECK(contains(refusal(file_of(one("F64", "[1]", "[0,8]"), from_hex("9c7500883ce4377e"))),
                 "w.st: tensor 'w': value 1e+300 does not fit single precision"));
  CHECK_NOTHROW(parse(file_of(one("F64", "[1]", "[0,8]"), from_hex("000000000000f07f"))));
}

TEST_CASE("core/safetensors: other element types are refused by name") {
  for (const std::string dtype : {"BOOL", "F8_E4M3", "f32", ""}) {
    CHECK(contains(refusal(file_of(one(dtype, "[4]", "[0,4]"), "xxxx")),
                   "tensor 'w': expected dtype F32, F64, F16, BF16 or an integer, got '" + dtype));
  }
}

TEST_CASE("core/safetensors: a truncated file is refused wherever it is cut") {
  const std::string bytes = file_of(one("F32", "[2]", "[0,8]"), "12345678");
  CHECK_NOTHROW(parse(bytes));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CAPTURE(size);
    CHECK_THROWS_AS(parse(bytes.substr(0, size)), IoError);
  }
  CHECK(contains(refusal(bytes.substr(0, bytes.size() - 1)),
                 "its data end at byte 8, but the file has 7 bytes of data"));
  CHECK(contains(refusal(bytes + "x"), "expected 8 bytes of tensor data, got 9"));
  CHECK(contains(refusal(std::string(8, '\xff') + "{}"),
                 "expected a safetensors header of 18446744073709551615 bytes, got 2"));
}

TEST_CASE("core/safetensors: offsets that overlap, leave holes or go backwards are refused") {
  const auto two = [](const std::string& first, const std::string& second) {
    return file_of(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":)" + first +
                       R"(},"b":{"dtype":"F32","shape":[1],"data_offsets":)" + second + "}}",
                   std::string(12, '\0'));
  };
  CHECK(contains(refusal(two("[0,4]", "[0,4]")), "they overlap another tensor's"));
  CHECK(contains(refusal(two("[0,4]", "[2,6]")), "tensor 'b': its data start at byte 2"));
  CHECK(contains(refusal(two("[0,4]", "[8,12]")), "a hole in the data"));
  CHECK(contains(refusal(two("[4,8]", "[8,12]")), "tensor 'a': its data start at byte 4"));
  CHECK(contains(refusal(two("[8,4]", "[0,4]")), "begin <= end, got [8, 4]"));
  CHECK(contains(refusal(two("[0]", "[0,4]")), "got [0]"));
  for (const std::string bad : {"[-4,0]", "[0,4.0]", "[0,1e30]", "[0,99999999999999999999]",
                                "\"0\"", "null", "[0,\"4\"]"}) {
    CAPTURE(bad);
    CHECK(contains(refusal(two(bad, "[0,4]")), "'data_offsets': expected a list of whole numbers"));
  }
}

TEST_CASE("core/safetensors: a shape that does not fit the data is refused") {
  CHECK(contains(refusal(file_of(one("F32", "[3]", "[0,8]"), "12345678")),
                 "expected 12 bytes for shape [3] of F32, got 8"));
  CHECK(contains(refusal(file_of(one("F32", "[4611686018427387904,4]", "[0,0]"), "")),
                 "expected more than 2^63 bytes"));
  CHECK(contains(refusal(file_of(one("F32", "[0,9223372036854775808]", "[0,0]"), "")),
                 "expected more than 2^63 bytes"));
  const auto empty = parse(file_of(one("F32", "[0,3]", "[0,0]"), ""));
  CHECK(empty.tensors.at("w").values.empty());
}

TEST_CASE("core/safetensors: a malformed header is refused") {
  const auto message = [](const std::string& header) { return refusal(file_of(header, "")); };
  for (const std::string header :
       {"", "{", "[]", "1", "null", "{\"w\":NaN}", "{} x", "{\"\xff\":{}}", "{'w':{}}"}) {
    CAPTURE(header);
    CHECK(contains(message(header), "w.st: malformed safetensors header"));
  }
  CHECK(contains(message(R"({"w":{}})"), "tensor 'w': 'dtype' is missing"));
  CHECK(contains(message(R"({"w":[]})"), "tensor 'w': expected an object, got array"));
  CHECK(contains(message(R"({"w":{"dtype":"F32"}})"), "'shape' is missing"));
  CHECK(contains(message(R"({"__metadata__":{"a":1}})"), "expected a string, got number"));
  CHECK(contains(message(R"({"__metadata__":"a"})"), "expected an object of strings, got string"));
  CHECK(contains(message(R"({"w":{"dtype":"F32","dtype":"F64"}})"), "name 'dtype' occurs twice"));
  CHECK(contains(message(R"({"w":{},"w":{}})"), "name 'w' occurs twice"));
  // A nest that would exhaust the stack of a recursive reader.
  CHECK(contains(message(std::string(100000, '[')), "nested too deeply"));
  std::string nest;
  for (int i = 0; i < 100000; ++i) nest += "{\"a\":";
  CHECK(contains(message(nest), "nested too deeply"));
}

TEST_CASE("core/safetensors: a name that occurs twice at different places is no repeat") {
  const std::string header = R"({"shape":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                             R"("dtype":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})";
  CHECK(parse(file_of(header, "12345678")).tensors.size() == 2);
}

TEST_CASE("core/safetensors: round trip, with the layout the format asks for") {
  const xbar_test::TemporaryFolder folder;
  TensorFile file;
  file.metadata = {{"epoch", "3"}, {"note", "\xc3\xa4 \"quoted\""}};
  file.tensors["b"] = {{2, 1}, {0.1F, -0.0F}};
  file.tensors["a.scalar"] = {{}, {std::numeric_limits<float>::infinity()}};
  file.tensors["empty"] = {{0, 4}, {}};
  xbar::write_safetensors(folder / "w.safetensors", file);
  const auto read = xbar::read_safetensors(folder / "w.safetensors");
  CHECK(read.metadata == file.metadata);
  REQUIRE(read.tensors.size() == 3);
  for (const auto& [name, tensor] : file.tensors) {
    CAPTURE(name);
    CHECK(read.tensors.at(name).shape == tensor.shape);
    CHECK(read.tensors.at(name).values == tensor.values);
  }
  CHECK(std::signbit(read.tensors.at("b").values[1]));
  const std::string bytes = xbar::read_file(folder / "w.safetensors");
  CHECK((bytes.size() - 12) % 8 == 0);  // 12 bytes of data begin at a multiple of 8
  CHECK(bytes[8] == '{');               // as readers of the format require
  CHECK(folder.entries() == 1);
}

TEST_CASE("core/safetensors: the written file, byte for byte") {
  const xbar_test::TemporaryFolder folder;
  TensorFile file;
  file.tensors["w"] = {{1}, {0.5F}};
  xbar::write_safetensors(folder / "w.safetensors", file);
  CHECK(
      xbar::read_file(folder / "w.safetensors") ==
      file_of(R"({"w":{"data_offsets":[0,4],"dtype":"F32","shape":[1]}}  )", from_hex("0000003f")));
}

TEST_CASE("core/safetensors: what cannot be written is refused") {
  const xbar_test::TemporaryFolder folder;
  const auto write = [&](const std::string& name, const NamedTensor& tensor,
                         const std::string& note) {
    TensorFile file;
    file.tensors[name] = tensor;
    file.metadata["note"] = note;
    return message_of<xbar::InvalidArgument>(
        [&] { xbar::write_safetensors(folder / "w.safetensors", file); });
  };
  CHECK(contains(write("w", {{3}, {1.0F}}, ""), "tensor 'w': shape [3] does not fit 1 values"));
  CHECK(contains(write("w", {{-1, -1}, {1.0F}}, ""), "shape [-1, -1] does not fit"));
  CHECK(contains(write("__metadata__", {{1}, {1.0F}}, ""), "the name is reserved"));
  CHECK(contains(write("w", {{1}, {1.0F}}, "\xff"), "expected UTF-8"));
  CHECK(folder.entries() == 0);
}
