#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/nn/data/data_set.hpp>

#include "support/catch.hpp"
#include "support/message.hpp"
#include "support/temporary_folder.hpp"

namespace fs = std::filesystem;
using xbar::IoError;
using xbar::nn::load_data;
using xbar_test::contains;
using xbar_test::message_of;
using xbar_test::TemporaryFolder;

namespace {

/// A file of `bytes` zeros but for its first ones; a hole on disk.
void write_sparse(const fs::path& path, const std::string& first, std::uintmax_t bytes) {
  xbar::write_file_atomically(path, first);
  fs::resize_file(path, bytes);
}

std::string record(const std::string& labels, char pixel) {
  return labels + std::string(3072, pixel);
}

std::string io_message(const std::string& spec) {
  return message_of<IoError>([&] { return load_data(spec, 1); });
}

}  // namespace

TEST_CASE("nn/cifar_set: the six files of CIFAR-10, in the folder or as the archive unpacks") {
  const TemporaryFolder folder;
  const fs::path place = GENERATE(false, true) ? folder / "cifar-10-batches-bin" : folder.path();
  for (int k = 1; k <= 5; ++k) {
    write_sparse(place / ("data_batch_" + std::to_string(k) + ".bin"),
                 record(std::string(1, static_cast<char>(k)), '\x33'), 30730000);
  }
  write_sparse(place / "test_batch.bin", record("\x07", '\xff'), 30730000);
  const std::string spec = "cifar10=" + folder.path().string();
  {
    const auto data = load_data(spec, 1);
    CHECK(data.name == "cifar10");
    CHECK(data.num_classes == 10);
    CHECK(data.train.count == 50000);
    CHECK(data.train.channels == 3);
    CHECK(data.train.height == 32);
    CHECK(data.train.width == 32);
    CHECK(data.train.pixels.size() == 50000U * 3072);
    CHECK(data.train.pixels[0] == 0.2F);  // 0x33 / 255
    CHECK(data.train.pixels[3072] == 0);
    CHECK(data.train.labels[10000] == 2);  // the first of the second file
    CHECK(data.train.labels[40000] == 5);
    CHECK(data.test.count == 10000);
    CHECK(data.test.pixels[0] == 1);
    CHECK(data.test.labels[0] == 7);
  }
  fs::resize_file(place / "data_batch_3.bin", 30730000 - 3073);
  CHECK(contains(io_message(spec),
                 "data_batch_3.bin: expected 30730000 bytes, 10000 images of 3073, got 30726927"));
  fs::remove(place / "data_batch_3.bin");
  CHECK(contains(io_message(spec), "data_batch_3.bin: cannot read the file"));
}

TEST_CASE("nn/cifar_set: CIFAR-100's two files have their own length") {
  const TemporaryFolder folder;
  const std::string spec = "cifar100=" + folder.path().string();
  write_sparse(folder / "train.bin", "", 50000U * 3074 - 1);
  write_sparse(folder / "test.bin", "", 10000U * 3074);
  CHECK(contains(io_message(spec), "train.bin: expected 153700000 bytes, 50000 images of 3074"));
}

TEST_CASE("nn/cifar_set: the first images of each split") {
  const TemporaryFolder folder;
  xbar::write_file_atomically(folder / "train_first2.bin",
                              record("\x01", '\x00') + record("\x02", '\x33'));
  xbar::write_file_atomically(folder / "test_first1.bin", record("\x09", '\xff'));
  const std::string spec = "cifar10=" + folder.path().string();
  const auto data = load_data(spec, 1);
  CHECK(data.train.labels == std::vector<std::uint8_t>{1, 2});
  CHECK(data.train.pixels[3072] == 0.2F);
  CHECK(data.test.labels == std::vector<std::uint8_t>{9});

  xbar::write_file_atomically(folder / "train_first3.bin", record("\x01", '\x00'));
  CHECK(contains(io_message(spec), "expected one file train_firstN.bin, found "));
  fs::remove(folder / "train_first2.bin");
  CHECK(contains(io_message(spec),
                 "train_first3.bin: expected 9219 bytes, 3 images of 3073, got "
                 "3073"));
  // The same files as CIFAR-100 would be.
  xbar::write_file_atomically(folder / "train_first3.bin", "");
  CHECK(contains(io_message("cifar100=" + folder.path().string()),
                 "train_first3.bin: expected 9222 bytes"));
}

TEST_CASE("nn/cifar_set: a folder without any of the layouts is told what it lacks") {
  const TemporaryFolder folder;
  const std::string path = folder.path().string();
  CHECK(contains(io_message("cifar10=" + path + "/absent"), "found no such folder"));
  const std::string message = io_message("cifar10=" + path);
  CHECK(contains(message, path + ": expected the files data_batch_1.bin, "));
  CHECK(contains(message, "test_batch.bin, or train_firstN.bin and test_firstM.bin, or train.zip"));
  CHECK(contains(io_message("cifar100=" + path), "expected the files train.bin and test.bin, or"));
  xbar::write_file_atomically(folder / "cifar-10-binary.tar.gz", "x");
  CHECK(contains(io_message("cifar10=" + path),
                 "cifar-10-binary.tar.gz: expected it unpacked, found the archive alone; run: tar "
                 "-xzf "));
}

TEST_CASE("nn/cifar_set: the exact subset of CIFAR-10") {
  const fs::path folder = fs::path(XBAR_SHARED_DIR) / "data" / "cifar10-lossless";
  if (!fs::exists(folder)) {
    WARN("skipped: needs the files in " << folder.string());
    return;
  }
  const auto data = load_data("cifar10=" + folder.string(), 1);
  CHECK(data.train.count == 4000);
  CHECK(data.test.count == 1000);
  // Frog, truck, truck, deer, automobile; cat, ship, ship, airplane, frog: the published order.
  CHECK(std::vector<std::uint8_t>(data.train.labels.begin(), data.train.labels.begin() + 5) ==
        std::vector<std::uint8_t>{6, 9, 9, 4, 1});
  CHECK(std::vector<std::uint8_t>(data.test.labels.begin(), data.test.labels.begin() + 5) ==
        std::vector<std::uint8_t>{3, 8, 8, 0, 6});
  // The mean of CIFAR-10 by channel is 0.4914, 0.4822, 0.4465; that of 4,000 images, whose own
  // means spread by 0.12, is within 5 standard errors of 0.002.
  const std::vector<double> published = {0.4914, 0.4822, 0.4465};
  for (std::size_t channel = 0; channel < 3; ++channel) {
    double sum = 0;
    for (std::size_t image = 0; image < 4000; ++image) {
      for (std::size_t i = 0; i < 1024; ++i) {
        sum += static_cast<double>(data.train.pixels[image * 3072 + channel * 1024 + i]);
      }
    }
    CHECK_THAT(sum / (4000 * 1024), xbar_test::WithinAbs(published[channel], 0.01));
  }
}

TEST_CASE("nn/cifar_set: CIFAR-10 as JPEG files is close to the exact images") {
  const fs::path data_folder = fs::path(XBAR_SHARED_DIR) / "data";
  if (!fs::exists(data_folder / "cifar10-jpeg")) {
    WARN("skipped: needs the files in " << (data_folder / "cifar10-jpeg").string());
    return;
  }
  const auto jpeg = load_data("cifar10=" + (data_folder / "cifar10-jpeg").string(), 1);
  CHECK(jpeg.name == "cifar10");
  CHECK(jpeg.train.count == 50000);
  CHECK(jpeg.test.count == 10000);
  if (!fs::exists(data_folder / "cifar10-lossless")) return;
  const auto exact = load_data("cifar10=" + (data_folder / "cifar10-lossless").string(), 1);
  CHECK(
      std::equal(exact.train.labels.begin(), exact.train.labels.end(), jpeg.train.labels.begin()));
  double square = 0;
  for (std::size_t i = 0; i < exact.test.pixels.size(); ++i) {
    const double difference = static_cast<double>(exact.test.pixels[i] - jpeg.test.pixels[i]);
    square += difference * difference;
  }
  // About 30 dB: a root mean square of 0.03. Planes or rows in another order would give 0.3.
  const double rms = std::sqrt(square / static_cast<double>(exact.test.pixels.size()));
  CHECK(rms > 0.01);
  CHECK(rms < 0.05);
}
