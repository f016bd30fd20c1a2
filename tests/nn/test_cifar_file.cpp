#include <cstdint>
#include <string>
#include <vector>

#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/nn/data/cifar_file.hpp>

#include "support/catch.hpp"
#include "support/message.hpp"
#include "support/temporary_folder.hpp"

using xbar::IoError;
using xbar::nn::CifarKind;
using xbar::nn::parse_cifar;
using xbar_test::contains;
using xbar_test::message_of;

namespace {

/// A record whose pixel k is (k + shift) mod 251.
std::string record(const std::string& labels, int shift) {
  std::string bytes = labels;
  for (int k = 0; k < 3072; ++k) bytes += static_cast<char>((k + shift) % 251);
  return bytes;
}

const std::string two = record("\x03", 0) + record("\x09", 7);

template <typename... Count>
std::string refusal(const std::string& bytes, CifarKind kind, Count... count) {
  return message_of<IoError>([&] { return parse_cifar(bytes, "batch", kind, count...); });
}

}  // namespace

TEST_CASE("nn/cifar_file: records are a label and three planes") {
  const auto images = parse_cifar(two, "batch", CifarKind::cifar10);
  CHECK(images.labels == std::vector<std::uint8_t>{3, 9});
  REQUIRE(images.pixels.size() == 2 * 3072);
  CHECK(images.pixels[0] == 0);
  CHECK(images.pixels[1024] == 1024 % 251);  // green begins
  CHECK(images.pixels[3071] == 3071 % 251);
  CHECK(images.pixels[3072] == 7);
  CHECK(parse_cifar(two, "batch", CifarKind::cifar10, 2).labels.size() == 2);
}

TEST_CASE("nn/cifar_file: of CIFAR-100's two labels the fine one counts") {
  const std::string bytes = record(std::string("\x13\x63", 2), 0) + record({'\0', '\0'}, 0);
  const auto images = parse_cifar(bytes, "train", CifarKind::cifar100);
  CHECK(images.labels == std::vector<std::uint8_t>{99, 0});
  CHECK(images.pixels[1] == 1);
  CHECK(contains(refusal(record("\x14\x01", 0), CifarKind::cifar100),
                 "batch: expected coarse labels below 20, got 20 for image 0"));
  CHECK(contains(refusal(record("\x13\x64", 0), CifarKind::cifar100),
                 "batch: expected fine labels below 100, got 100 for image 0"));
}

TEST_CASE("nn/cifar_file: a file that is cut short, too long or of another kind is refused") {
  CHECK(contains(refusal(two.substr(0, 6000), CifarKind::cifar10),
                 "batch: expected a whole number of images of 3073 bytes, got 6000 bytes, 2927 "
                 "after image 1"));
  CHECK(contains(refusal(two + "x", CifarKind::cifar10), "got 6147 bytes, 1 after image 2"));
  CHECK(contains(refusal("", CifarKind::cifar10), "got 0 bytes"));
  CHECK(contains(refusal(two, CifarKind::cifar100), "images of 3074 bytes, got 6146"));
  // Cut between two records, which only the expected count can tell.
  CHECK(contains(refusal(two.substr(0, 3073), CifarKind::cifar10, 2),
                 "batch: expected 6146 bytes, 2 images of 3073, got 3073"));
  CHECK(contains(refusal(two + record("\x0a", 0), CifarKind::cifar10),
                 "batch: expected labels below 10, got 10 for image 2"));
}

TEST_CASE("nn/cifar_file: files") {
  const xbar_test::TemporaryFolder folder;
  xbar::write_file_atomically(folder / "batch.bin", two);
  CHECK(xbar::nn::read_cifar(folder / "batch.bin", CifarKind::cifar10).labels.size() == 2);
  CHECK(contains(message_of<IoError>([&] {
                   return xbar::nn::read_cifar(folder / "absent.bin", CifarKind::cifar10);
                 }),
                 "absent.bin: cannot read the file: No such file or directory"));
}
