#include <array>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/nn/data/data_set.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"
#include "support/message.hpp"
#include "support/temporary_folder.hpp"

namespace fs = std::filesystem;
using xbar::InvalidArgument;
using xbar::IoError;
using xbar::nn::load_data;
using xbar_test::contains;
using xbar_test::from_hex;
using xbar_test::message_of;
using xbar_test::TemporaryFolder;

namespace {

/// XBAR_DATA as the test wants it; as it was afterwards.
class DataVariable {
 public:
  explicit DataVariable(const std::optional<std::string>& value) {
    if (const char* before = std::getenv("XBAR_DATA")) before_ = before;
    set(value);
  }
  DataVariable(const DataVariable&) = delete;
  DataVariable& operator=(const DataVariable&) = delete;
  ~DataVariable() { set(before_); }

 private:
  static void set(const std::optional<std::string>& value) {
    if (value) {
      ::setenv("XBAR_DATA", value->c_str(), 1);
    } else {
      ::unsetenv("XBAR_DATA");
    }
  }
  std::optional<std::string> before_;
};

// Two training images and one test image of 1 x 2 pixels.
void write_small_set(const fs::path& folder) {
  xbar::write_file_atomically(folder / "train-images-idx3-ubyte",
                              from_hex("00000803 00000002 00000001 00000002 00ff3300"));
  xbar::write_file_atomically(folder / "train-labels-idx1-ubyte",
                              from_hex("00000801 00000002 0903"));
  xbar::write_file_atomically(folder / "t10k-images-idx3-ubyte",
                              from_hex("00000803 00000001 00000001 00000002 0102"));
  xbar::write_file_atomically(folder / "t10k-labels-idx1-ubyte", from_hex("00000801 00000001 00"));
}

std::string io_message(const std::string& spec) {
  return message_of<IoError>([&] { return load_data(spec, 1); });
}

std::string argument_message(const std::string& spec) {
  return message_of<InvalidArgument>([&] { return load_data(spec, 1); });
}

}  // namespace

TEST_CASE("nn/data_set: glyphs need no folder and follow the seed") {
  const auto data = load_data("glyphs", 1);
  CHECK(data.name == "glyphs");
  CHECK(data.train.count == 12000);
  CHECK(data.train.pixels == load_data("glyphs", 1).train.pixels);
  CHECK(data.train.pixels != load_data("glyphs", 2).train.pixels);
}

TEST_CASE("nn/data_set: four IDX files make a data set") {
  const TemporaryFolder folder;
  write_small_set(folder.path());
  const auto data = load_data("mnist=" + folder.path().string(), 1);
  CHECK(data.name == "mnist");
  CHECK(data.num_classes == 10);
  CHECK(data.train.count == 2);
  CHECK(data.train.channels == 1);
  CHECK(data.train.height == 1);
  CHECK(data.train.width == 2);
  CHECK(data.train.pixels == std::vector<float>{0.0F, 1.0F, 0.2F, 0.0F});  // 0x33 / 255 = 0.2
  CHECK(data.train.labels == std::vector<std::uint8_t>{9, 3});
  CHECK(data.test.count == 1);
  CHECK(data.test.labels == std::vector<std::uint8_t>{0});
  CHECK(load_data("fashion-mnist=" + folder.path().string(), 1).name == "fashion-mnist");
}

TEST_CASE("nn/data_set: without a folder the environment says where") {
  const TemporaryFolder folder;
  write_small_set(folder / "mnist");
  {
    const DataVariable variable(folder.path().string());
    CHECK(load_data("mnist", 1).train.count == 2);
    CHECK(contains(io_message("fashion-mnist"), "fashion-mnist: expected the file train-images"));
  }
  for (const std::optional<std::string>& unset : {std::optional<std::string>(), {""}}) {
    const DataVariable variable(unset);
    const std::string message = argument_message("mnist");
    CHECK(contains(message, "mnist=DIR"));
    CHECK(contains(message, "XBAR_DATA"));
  }
}

TEST_CASE("nn/data_set: unknown names are refused, with the nearest known one") {
  CHECK(argument_message("mnits") ==
        "data 'mnits': expected one of glyphs, mnist, fashion-mnist, cifar10, cifar100; did you "
        "mean mnist?");
  CHECK(contains(argument_message("fashion_mnist=/tmp"), "did you mean fashion-mnist?"));
  CHECK(!contains(argument_message("imagenet21k"), "did you mean"));
  CHECK(contains(argument_message(""), "expected one of"));
  CHECK(contains(argument_message("mnist="), "expected a folder after '='"));
  CHECK(contains(argument_message("glyphs=/tmp"), "expected no folder"));
}

TEST_CASE("nn/data_set: files that are missing or disagree are refused by name") {
  const TemporaryFolder folder;
  const std::string spec = "mnist=" + folder.path().string();
  CHECK(contains(io_message("mnist=" + (folder / "absent").string()),
                 "expected the file train-images-idx3-ubyte or train-images-idx3-ubyte.gz"));
  const auto check = [&](const std::string& file, const std::string& hex, const std::string& part) {
    CAPTURE(file);
    write_small_set(folder.path());
    xbar::write_file_atomically(folder / file, from_hex(hex));
    const std::string message = io_message(spec);
    CAPTURE(message);
    CHECK(contains(message, part));
  };
  check("train-labels-idx1-ubyte", "00000801 00000003 010203",
        "expected 2 labels, one for each image of");
  check("train-labels-idx1-ubyte", "00000801 00000002 010a",
        "expected labels below 10, got 10 for image 1");
  check("train-labels-idx1-ubyte", "00000802 00000002 00000001 0102",
        "expected an IDX array of 1 axes, got 2");
  check("t10k-images-idx3-ubyte", "00000801 00000001 01", "expected an IDX array of 3 axes, got 1");
  check("t10k-images-idx3-ubyte", "00000803 00000001 00000002 00000001 0102",
        "expected test images of 1 x 2 as in training, got 2 x 1");
  check("t10k-labels-idx1-ubyte", "00000801 0000", "t10k-labels-idx1-ubyte: truncated");
}

TEST_CASE("nn/data_set: MNIST as it was published") {
  const fs::path folder = fs::path(XBAR_SHARED_DIR) / "data" / "mnist";
  if (!fs::exists(folder)) {
    WARN("skipped: needs the MNIST files in " << folder.string());
    return;
  }
  const auto data = load_data("mnist=" + folder.string(), 1);
  CHECK(data.train.count == 60000);
  CHECK(data.test.count == 10000);
  CHECK(data.train.height == 28);
  CHECK(data.train.width == 28);

  // How often each digit occurs is well known; the grey sums were taken with Python's gzip from
  // files whose md5 (train images: 6bbc9ace898e44ae57da46a324031adb) is the published one.
  const auto counts = [](const xbar::nn::ImageSet& set) {
    std::array<int, 10> result{};
    for (const auto label : set.labels) ++result.at(label);
    return result;
  };
  CHECK(counts(data.train) ==
        std::array<int, 10>{5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949});
  CHECK(counts(data.test) ==
        std::array<int, 10>{980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009});
  const auto grey_sum = [](const xbar::nn::ImageSet& set) {
    double sum = 0;
    for (const float p : set.pixels) sum += static_cast<double>(p);
    return sum * 255;
  };
  // p / 255 rounds to float, 6e-8 relative.
  CHECK_THAT(grey_sum(data.train), xbar_test::WithinRel(1567298545.0, 1e-7));
  CHECK_THAT(grey_sum(data.test), xbar_test::WithinRel(264923200.0, 1e-7));
  CHECK(std::vector<std::uint8_t>(data.train.labels.begin(), data.train.labels.begin() + 5) ==
        std::vector<std::uint8_t>{5, 0, 4, 1, 9});
}
