#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/nn/data/cifar_jpeg.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"
#include "support/message.hpp"
#include "support/temporary_folder.hpp"

using xbar::IoError;
using xbar::nn::parse_cifar_jpeg;
using xbar_test::contains;
using xbar_test::from_hex;
using xbar_test::message_of;

namespace {

// Written by libjpeg at quality 90 and Python's zipfile: 00000_6.jpg is all of colour (200, 100,
// 50), 00001_9.jpg has the grey level 20 in the left half and 220 in the right one.
const std::string two = from_hex(
    "504b030414000000000000002100583d492813010000130100000b00000030303030305f362e6a7067ffd8ff"
    "db0043000302020302020303030304030304050805050404050a070706080c0a0c0c0b0a0b0b0d0e12100d0e"
    "110e0b0b1016101113141515150c0f171816141812141514ffdb00430103040405040509050509140d0b0d14"
    "1414141414141414141414141414141414141414141414141414141414141414141414141414141414141414"
    "1414141414ffc00011080020002003012200021101031101ffc4001500010100000000000000000000000000"
    "000004ffc40014100100000000000000000000000000000000ffc40016010101010000000000000000000000"
    "0000000708ffc40014110100000000000000000000000000000000ffda000c03010002110311003f0090043d"
    "a40000000001ffd9504b030414000000000000002100cbd9149515010000150100000b00000030303030315f"
    "392e6a7067ffd8ffdb0043000302020302020303030304030304050805050404050a070706080c0a0c0c0b0a"
    "0b0b0d0e12100d0e110e0b0b1016101113141515150c0f171816141812141514ffdb00430103040405040509"
    "050509140d0b0d14141414141414141414141414141414141414141414141414141414141414141414141414"
    "14141414141414141414141414ffc00011080020002003012200021101031101ffc400160001010100000000"
    "000000000000000000000a09ffc40014100100000000000000000000000000000000ffc40014010100000000"
    "000000000000000000000000ffc40014110100000000000000000000000000000000ffda000c030100021103"
    "11003f00cdf00142a0027a80050a800fffd9504b0102140314000000000000002100583d4928130100001301"
    "00000b000000000000000000000080010000000030303030305f362e6a7067504b0102140314000000000000"
    "002100cbd9149515010000150100000b000000000000000000000080013c01000030303030315f392e6a7067"
    "504b05060000000002000200720000007a0200000000");

// 00000_6.jpg with one component in place of three.
const std::string grey = from_hex(
    "504b0304140000000000000021006b7f6f049d0000009d0000000b00000030303030305f362e6a7067ffd8ff"
    "db0043000302020302020303030304030304050805050404050a070706080c0a0c0c0b0a0b0b0d0e12100d0e"
    "110e0b0b1016101113141515150c0f171816141812141514ffc0000b080020002001011100ffc40016000101"
    "0100000000000000000000000000000a09ffc40014100100000000000000000000000000000000ffda000801"
    "0100003f00cdf142a27a850a89ea142a27a850a8ffd9504b01021403140000000000000021006b7f6f049d00"
    "00009d0000000b000000000000000000000080010000000030303030305f362e6a7067504b05060000000001"
    "00010039000000c60000000000");

// 00000_6.jpg of 32 rows of 16 pixels.
const std::string narrow = from_hex(
    "504b03041400000000000000210062e374eb10010000100100000b00000030303030305f362e6a7067ffd8ff"
    "db0043000302020302020303030304030304050805050404050a070706080c0a0c0c0b0a0b0b0d0e12100d0e"
    "110e0b0b1016101113141515150c0f171816141812141514ffdb00430103040405040509050509140d0b0d14"
    "1414141414141414141414141414141414141414141414141414141414141414141414141414141414141414"
    "1414141414ffc00011080020001003012200021101031101ffc4001500010100000000000000000000000000"
    "000004ffc40014100100000000000000000000000000000000ffc40016010101010000000000000000000000"
    "0000000708ffc40014110100000000000000000000000000000000ffda000c03010002110311003f0090043d"
    "a40001ffd9504b010214031400000000000000210062e374eb10010000100100000b00000000000000000000"
    "0080010000000030303030305f362e6a7067504b0506000000000100010039000000390100000000");

std::string refusal(const std::string& bytes) {
  return message_of<IoError>([&] { return parse_cifar_jpeg(bytes, "train.zip"); });
}

std::string replaced(std::string bytes, const std::string& from, const std::string& to) {
  for (std::size_t at = bytes.find(from); at != std::string::npos; at = bytes.find(from, at + 1)) {
    bytes.replace(at, from.size(), to);
  }
  return bytes;
}

}  // namespace

TEST_CASE("nn/cifar_jpeg: members become labels and planes") {
  const auto images = parse_cifar_jpeg(two, "train.zip");
  CHECK(images.labels == std::vector<std::uint8_t>{6, 9});
  REQUIRE(images.pixels.size() == 2 * 3072);
  const auto near = [&](std::size_t pixel, int expected) {
    return std::abs(static_cast<int>(images.pixels.at(pixel)) - expected) <= 3;  // quality 90
  };
  for (std::size_t i = 0; i < 1024; ++i) {
    REQUIRE((near(i, 200) && near(1024 + i, 100) && near(2048 + i, 50)));
    for (std::size_t channel = 0; channel < 3; ++channel) {
      REQUIRE(near(3072 + 1024 * channel + i, i % 32 < 16 ? 20 : 220));
    }
  }
}

TEST_CASE("nn/cifar_jpeg: files") {
  const xbar_test::TemporaryFolder folder;
  xbar::write_file_atomically(folder / "train.zip", two);
  CHECK(xbar::nn::read_cifar_jpeg(folder / "train.zip").labels.size() == 2);
}

TEST_CASE("nn/cifar_jpeg: an archive that is cut short is refused wherever it is cut") {
  for (std::size_t size = 0; size < two.size(); ++size) {
    CAPTURE(size);
    REQUIRE_THROWS_AS(parse_cifar_jpeg(two.substr(0, size), "train.zip"), IoError);
  }
  CHECK(
      contains(refusal(""), "train.zip: expected a zip archive of JPEG files, got an empty file"));
  CHECK(contains(refusal("not a zip"), "expected a zip archive of JPEG files, got 9 bytes"));
}

TEST_CASE("nn/cifar_jpeg: members are refused by name") {
  CHECK(contains(refusal(replaced(two, "00001_9", "00002_9")),
                 "train.zip: expected 00001_LABEL.jpg, LABEL from 0 to 9, as member 1, got "
                 "'00002_9.jpg'"));
  CHECK(contains(refusal(replaced(two, "00001_9.jpg", "00001_x.jpg")), "got '00001_x.jpg'"));
  CHECK(contains(refusal(replaced(two, "00001_9.jpg", "00001_9.png")), "got '00001_9.png'"));
  CHECK(contains(refusal(replaced(two, "00001_9.jpg", "00001\n9.jpg")), "got '00001?9.jpg'"));
  CHECK(contains(refusal(grey),
                 "train.zip: 00000_6.jpg: expected a JPEG file of 32 x 32 pixels in "
                 "3 colours, got 32 x 32 in 1"));
  CHECK(contains(refusal(narrow), "got 32 x 16 in 3"));
}

TEST_CASE("nn/cifar_jpeg: damage to any byte of an image is noticed") {
  // The archive's checksum sees it first, whatever the decoder would say.
  const std::size_t image = two.find("\xff\xd8");
  for (const std::size_t place : {std::size_t{0}, std::size_t{40}, std::size_t{200}}) {
    std::string bytes = two;
    bytes[image + place] ^= 1;
    CAPTURE(place);
    CHECK(contains(refusal(bytes), "train.zip: 00000_6.jpg: "));
  }
}
